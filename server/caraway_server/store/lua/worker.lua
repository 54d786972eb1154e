-- Notes what is known of a worker. No task changes state.
-- request: worker, set (fields and values, flat), joined (true: its stream was opened just now).
-- Returns nothing of use.
-- Fields of worker:<id>: state (active, draining, stopped), info, told (messages of the contract), joined, seen, held
-- (deliveries at the last heartbeat).
local worker, set = request.worker, request.set
local key = worker_key(worker)
if request.joined then
  set[#set + 1] = 'joined'
  set[#set + 1] = now_text
elseif redis.call('EXISTS', key) == 0 then
  return reply(false) -- forgotten meanwhile, or never seen: a heartbeat alone tells too little of it
end
redis.call('HSET', key, 'seen', now_text, unpack(set))
redis.call('ZADD', WORKERS, now_text, worker)
return reply(true)
