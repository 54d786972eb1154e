-- Looks at queues, for metrics. No state changes. Costs about what a lease that finds nothing costs.
-- request: queues.
-- Returns {queues {{queue, waiting, ready, since when the oldest is ready (0: none is)}, ...}, leases, now}.

-- In a lane the first of each priority waits longest among those of its priority.
local function oldest_in(lane)
  local oldest, from = nil, '-inf'
  for _ = 0, 9 do
    local head = redis.call('ZRANGE', lane, from, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
    if not head[1] then break end
    local v = redis.call('HMGET', task_key(head[1]), 'm', 'c')
    local since = tonumber(v[1] or v[2] or now)
    if not oldest or since < oldest then oldest = since end
    from = int((math.floor(tonumber(head[2]) / PRIORITY_SPAN) + 1) * PRIORITY_SPAN)
  end
  return oldest
end

local rows = {}
for index, queue in ipairs(request.queues) do
  local ready, oldest = 0, nil
  for _, name in ipairs(redis.call('SMEMBERS', lanes_key(queue))) do
    local lane = lane_key(queue, name)
    ready = ready + redis.call('ZCARD', lane)
    local since = oldest_in(lane)
    if since and (not oldest or since < oldest) then oldest = since end
  end
  rows[index] = {queue, tonumber(redis.call('HGET', DEPTH, queue) or 0), ready, oldest or 0}
end
return reply({rows, redis.call('ZCARD', LEASES), now})
