-- Counts what waits in queues, at one moment, for the checker. No state changes.
-- request: queues; most (tasks that are looked up in the schedule).
-- Returns {{queue, depth, tasks in its lanes, tasks in the schedule}, ...}; the last is -1 where the schedule holds more than
--          `most`. Queues of the schedule's tasks are among them.
local scheduled, order = {}, {}
for _, queue in ipairs(request.queues) do
  scheduled[queue] = 0
  order[#order + 1] = queue
end
local too_many = redis.call('ZCARD', DUE) > request.most
if not too_many then
  for _, id in ipairs(redis.call('ZRANGE', DUE, 0, -1)) do
    local queue = redis.call('HGET', task_key(id), 'q')
    if queue and not scheduled[queue] then
      scheduled[queue] = 0
      order[#order + 1] = queue
    end
    if queue then scheduled[queue] = scheduled[queue] + 1 end
  end
end
local answers = {}
for position, queue in ipairs(order) do
  local queued = 0
  for _, name in ipairs(redis.call('SMEMBERS', lanes_key(queue))) do
    queued = queued + redis.call('ZCARD', lane_key(queue, name))
  end
  local depth = tonumber(redis.call('HGET', DEPTH, queue) or -1)
  answers[position] = {queue, depth, queued, too_many and -1 or scheduled[queue]}
end
return reply(answers)
