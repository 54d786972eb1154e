-- Lists a queue among those for which something is set, and among those that are paused, as its own key says. No task
-- changes state.
-- request: queue.
-- Returns nothing of use.
local queue = request.queue
local key = queue_key(queue)
redis.call(redis.call('EXISTS', key) == 1 and 'SADD' or 'SREM', QUEUES, queue)
if redis.call('HEXISTS', key, 'paused') == 1 then
  redis.call('SADD', PAUSED, queue)
else
  redis.call('SREM', PAUSED, queue)
  fresh_work[queue] = true
end
return reply(true)
