-- Raises the last sequence number to one that a task has. No task changes state.
-- request: last.
-- Returns nothing of use.
if tonumber(redis.call('GET', SEQUENCE) or 0) < request.last then redis.call('SET', SEQUENCE, int(request.last)) end
return reply(true)
