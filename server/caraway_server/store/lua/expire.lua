-- Ends waiting tasks whose time is over. SCHEDULED, QUEUED, RETRYING -> EXPIRED. A delivered one is left to its worker: its
-- start, or its return, is tested against the same time.
-- request: limit, result_ttl.
-- Returns {count, now, next expiry or 0}.
local over = redis.call('ZRANGE', EXPIRING, '-inf', int(now), 'BYSCORE', 'LIMIT', 0, request.limit)
for _, id in ipairs(over) do
  local task = load(id)
  if task and is_waiting(task) then
    stop_waiting(task)
    finish(task, EXPIRED)
  else
    redis.call('ZREM', EXPIRING, id)
  end
end
local head = redis.call('ZRANGE', EXPIRING, 0, 0, 'WITHSCORES')
return reply({#over, now, tonumber(head[2] or 0)})
