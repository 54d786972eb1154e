-- Ends the parts of an open workflow.
-- request: id, error (a message of the contract, or '': it is complete), reason (of the revocations).
-- Returns the record as a flat list of fields and values; empty: there is none.
local key = workflow_key(request.id)
local workflow = load_workflow(request.id)
if not workflow then return reply({}) end
if workflow.open then
  if request.error ~= '' then
    give_up(workflow, {mode = 't', reason = request.reason, grace = 0, signal = ''}, request.error, false)
  else
    redis.call('HDEL', key, 'w')
    redis.call('ZREM', PRODUCERS, request.id)
    set_off(request.id, cmsgpack.pack({'sealed'}))
  end
  store_workflow(workflow)
end
return reply(redis.call('HGETALL', key))
