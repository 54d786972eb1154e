-- Revokes what is QUEUED in a queue, a bounded number at a time. QUEUED -> REVOKED.
-- request: queue, limit, hold, result_ttl.
-- Returns {count, more}.
local queue, limit = request.queue, request.limit
local count, is_over = 0, false
for _, name in ipairs(redis.call('SMEMBERS', lanes_key(queue))) do
  local ids, done = {}, 0
  if count < limit and not is_over then ids = redis.call('ZRANGE', lane_key(queue, name), 0, limit - count - 1) end
  for _, id in ipairs(ids) do
    done = done + 1
    local task = load(id)
    count_waiting(queue, -1)
    if task and task.state == QUEUED then -- else a stray entry, which is dropped
      finish(task, REVOKED, {'C', 'p', 'Cr', 'purged'})
    end
    is_over = has_held_long()
    if is_over then break end
  end
  if done > 0 then
    redis.call('ZREMRANGEBYRANK', lane_key(queue, name), 0, done - 1)
    forget_empty_lane(queue, name)
  end
  count = count + done
end
return reply({count, redis.call('EXISTS', lanes_key(queue)) == 1})
