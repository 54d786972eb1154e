-- Revokes what is QUEUED in a queue, a bounded number at a time. QUEUED -> REVOKED.
-- request: queue, limit, result_ttl.
-- Returns {count, more}.
local queue, limit = request.queue, request.limit
local count = 0
for _, name in ipairs(redis.call('SMEMBERS', lanes_key(queue))) do
  local ids = {}
  if count < limit then ids = redis.call('ZRANGE', lane_key(queue, name), 0, limit - count - 1) end
  for _, id in ipairs(ids) do
    local task = load(id)
    count_waiting(queue, -1)
    if task and task.state == QUEUED then -- else a stray entry, which is dropped
      finish(task, REVOKED, {'C', 'p', 'Cr', 'purged'})
    end
  end
  if #ids > 0 then
    redis.call('ZREMRANGEBYRANK', lane_key(queue, name), 0, #ids - 1)
    forget_empty_lane(queue, name)
  end
  count = count + #ids
end
return reply({count, redis.call('EXISTS', lanes_key(queue)) == 1})
