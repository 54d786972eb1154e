-- Runs again what failed in a workflow that ended. FAILED, CANCELLED -> RUNNING.
-- request: id.
-- Returns {word, record}: retried, unchanged, given_up, incomplete (nodes were deleted), not_found.
local key = workflow_key(request.id)
local workflow = load_workflow(request.id)
if not workflow then return reply({'not_found', {}}) end
local word = 'unchanged'
if workflow.state == BROKEN or workflow.state == CANCELLED then
  if workflow.failed then
    word = 'given_up'
  elseif tonumber(redis.call('HGET', key, 'd') or 0) > 0 then
    word = 'incomplete'
  else
    word = 'retried'
    workflow.state, workflow.blame, workflow.cursor = ACTIVE, nil, 0
    redis.call('HDEL', key, 'z', 'u', 'K', 'C', 'Cr', 'Cg', 'Cs')
    redis.call('HSET', key, 's', ACTIVE)
    redis.call('ZREM', ENDED_WORKFLOWS, request.id)
    set_off(request.id, cmsgpack.pack({'reset'}))
    store_workflow(workflow)
  end
end
return reply({word, redis.call('HGETALL', key)})
