-- Ends waiting tasks whose time is over. SCHEDULED, QUEUED, RETRYING -> EXPIRED. A delivered one is left to its worker: its
-- start, or its return, is tested against the same time.
-- request: limit, hold, result_ttl.
-- Returns {count, now, next expiry or 0}.
local over = redis.call('ZRANGE', EXPIRING, '-inf', int(now), 'BYSCORE', 'LIMIT', 0, request.limit)
local count = 0
for _, id in ipairs(over) do
  count = count + 1
  local task = load(id)
  if task and is_waiting(task) then
    stop_waiting(task)
    finish(task, EXPIRED)
  else
    redis.call('ZREM', EXPIRING, id)
  end
  if has_held_long() then break end
end
local head = redis.call('ZRANGE', EXPIRING, 0, 0, 'WITHSCORES')
return reply({count, now, tonumber(head[2] or 0)})
