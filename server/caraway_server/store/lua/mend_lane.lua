-- Lists a lane among its queue's if it is there, and else not. No task changes state.
-- request: queue, name.
-- Returns nothing of use.
local queue, name = request.queue, request.name
if redis.call('EXISTS', lane_key(queue, name)) == 1 then
  redis.call('SADD', lanes_key(queue), name)
  fresh_work[queue] = true
else
  redis.call('SREM', lanes_key(queue), name)
end
return reply(true)
