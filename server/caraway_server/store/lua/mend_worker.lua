-- Lists a worker if something is known of it, and else not. No task changes state.
-- request: worker.
-- Returns nothing of use.
local seen = redis.call('HGET', worker_key(request.worker), 'seen')
if seen then
  redis.call('ZADD', WORKERS, seen, request.worker)
else
  redis.call('ZREM', WORKERS, request.worker)
  redis.call('DEL', worker_key(request.worker))
end
return reply(true)
