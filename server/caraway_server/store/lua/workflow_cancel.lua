-- Cancels a workflow: the relay revokes its nodes.
-- request: id, mode, reason, grace, signal.
-- Returns the record as a flat list of fields and values; empty: there is none.
local key = workflow_key(request.id)
local workflow = load_workflow(request.id)
if not workflow then return reply({}) end
local RANK = {p = 1, c = 2, t = 3}
local stronger = not workflow.cancel or RANK[request.mode] > RANK[workflow.cancel.mode]
if workflow.state == ACTIVE and stronger and not workflow.failed then
  give_up(workflow, {mode = request.mode, reason = request.reason, grace = request.grace, signal = request.signal})
  store_workflow(workflow)
end
return reply(redis.call('HGETALL', key))
