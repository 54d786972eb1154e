-- Sets what a queue is held to. No task changes state.
-- request: queue, set (fields and values, flat), clear (fields), stamp (true: note the time in field "at").
-- Returns nothing of use.
-- Fields of queue:<name>: paused ("1"), note, at (when it was paused), max_length.
local queue = request.queue
local key = queue_key(queue)
if #request.set > 0 then redis.call('HSET', key, unpack(request.set)) end
if request.stamp then redis.call('HSET', key, 'at', now_text) end
if #request.clear > 0 then redis.call('HDEL', key, unpack(request.clear)) end
if redis.call('EXISTS', key) == 1 then
  redis.call('SADD', QUEUES, queue)
else
  redis.call('SREM', QUEUES, queue)
end
if redis.call('HGET', key, 'paused') then
  redis.call('SADD', PAUSED, queue)
else
  redis.call('SREM', PAUSED, queue)
  fresh_work[queue] = true -- it may have been paused: look again
end
return reply(true)
