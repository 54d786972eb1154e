-- Corrects the count of the tasks that wait in a queue by what it is wrong by. No task changes state.
-- request: queue, by.
-- Returns nothing of use.
count_waiting(request.queue, request.by)
if request.by == 0 and redis.call('HGET', DEPTH, request.queue) == '0' then redis.call('HDEL', DEPTH, request.queue) end
return reply(true)
