-- Deletes what was kept long enough. Terminal -> tombstone, tombstone -> gone.
-- request: limit, window.
-- Returns {count, now, next purge or 0}.
local over = redis.call('ZRANGE', ENDED, '-inf', int(now), 'BYSCORE', 'LIMIT', 0, request.limit)
for _, id in ipairs(over) do
  if redis.call('HGET', task_key(id), 's') == tostring(TOMBSTONE) then
    redis.call('DEL', task_key(id))
    redis.call('ZREM', ENDED, id)
  else
    bury(id, request.window)
  end
end
local head = redis.call('ZRANGE', ENDED, 0, 0, 'WITHSCORES')
return reply({#over, now, tonumber(head[2] or 0)})
