-- Forgets workers that have not been seen for long. No task changes state.
-- request: limit, after (how long).
-- Returns {count, now, next time or 0}.
local before = int(now - request.after)
local gone = redis.call('ZRANGE', WORKERS, '-inf', before, 'BYSCORE', 'LIMIT', 0, request.limit)
for _, worker in ipairs(gone) do
  redis.call('DEL', worker_key(worker))
  redis.call('ZREM', WORKERS, worker)
end
local head = redis.call('ZRANGE', WORKERS, 0, 0, 'WITHSCORES')
return reply({#gone, now, head[2] and tonumber(head[2]) + request.after or 0})
