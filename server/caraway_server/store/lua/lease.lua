-- Hands tasks to a worker: the oldest of the highest priority among the lanes that it serves. QUEUED -> LEASED, or EXPIRED.
-- request: worker, queues, names (false: any), count, bytes (of specs; the first lease may go over), lease (how long),
--          result_ttl.
-- Returns {leases, more}: leases {{id, fence, spec, retries, created, expires in (0: never), deliveries, name,
--          queue, priority, inputs or '', ready since}, ...};
--          more: false when nothing was left to lease, and this gateway is noted as hungry.
local CHUNK = 64
local worker, count, bytes_left, lease_until = request.worker, request.count, request.bytes, int(now + request.lease)
local served
if request.names then
  served = {}
  for _, name in ipairs(request.names) do served[name] = true end
end

local lanes = {}

local function look_at_head(lane)
  local head = redis.call('ZRANGE', lane.key, 0, 0, 'WITHSCORES')
  lane.score = head[2] and tonumber(head[2])
end

local paused = #request.queues > 0 and redis.call('SMISMEMBER', PAUSED, unpack(request.queues)) or {}
for index, queue in ipairs(request.queues) do
  local names = {}
  if paused[index] == 0 then names = redis.call('SMEMBERS', lanes_key(queue)) end
  for _, name in ipairs(names) do
    if not served or served[name] then
      local lane = {key = lane_key(queue, name), queue = queue, name = name}
      look_at_head(lane)
      if lane.score then lanes[#lanes + 1] = lane end
    end
  end
end

-- The lane whose head comes first, and the score up to which it stays so.
local function pick()
  local best, limit = nil, math.huge
  for _, lane in ipairs(lanes) do
    if lane.score then
      if not best or lane.score < best.score then
        if best then limit = math.min(limit, best.score) end
        best = lane
      else
        limit = math.min(limit, lane.score)
      end
    end
  end
  return best, limit
end

local leases, lease_scores, examined = {}, {}, 0
local full = false

local function take(lane, id, score)
  local key = task_key(id)
  local v = redis.call('HMGET', key, 't', 'e', 'a', 'v', 'c', 'x', 'r', 'W', 'I', 'm')
  local spec, expires = v[1], tonumber(v[6] or 0)
  if not spec then return true end -- an entry without a record is dropped
  if expires > 0 and expires <= now then
    finish(load(id), EXPIRED)
    return true
  end
  if #leases > 0 and #spec > bytes_left then
    full = true
    return false
  end
  bytes_left = bytes_left - #spec
  local fence = int(math.max(tonumber(v[2] or 0) + 1, now))
  local deliveries, revision = tonumber(v[4] or 0) + 1, tonumber(v[7]) + 1
  redis.call('HSET', key, 's', LEASED, 'e', fence, 'v', deliveries, 'w', worker, 'g', me, 'r', revision)
  changed(id, v[8], LEASED, revision)
  lease_scores[#lease_scores + 1] = lease_until
  lease_scores[#lease_scores + 1] = id
  leases[#leases + 1] = {id, fence, spec, tonumber(v[3] or 0), tonumber(v[5]), expires > 0 and expires - now or 0, deliveries,
    lane.name, lane.queue, 9 - math.floor(score / PRIORITY_SPAN), v[9] or '', tonumber(v[10] or v[5])}
  return true
end

-- Takes from one lane while its head comes first.
local function drain(lane, limit)
  local entries = redis.call('ZRANGE', lane.key, 0, math.min(CHUNK, count - #leases) - 1, 'WITHSCORES')
  local taken = {}
  for index = 1, #entries, 2 do
    local score = tonumber(entries[index + 1])
    if score > limit or not take(lane, entries[index], score) then break end
    taken[#taken + 1] = entries[index]
  end
  examined = examined + #taken
  if #taken > 0 then
    redis.call('ZREM', lane.key, unpack(taken))
    count_waiting(lane.queue, -#taken)
  end
  look_at_head(lane)
  if not lane.score then redis.call('SREM', lanes_key(lane.queue), lane.name) end
end

local lane, limit = pick()
-- What is examined is bounded apart from what is leased: many expired tasks at the head must not hold the store.
while lane and not full and #leases < count and examined < count + CHUNK do
  drain(lane, limit)
  lane, limit = pick()
end
if #lease_scores > 0 then redis.call('ZADD', LEASES, unpack(lease_scores)) end
if not lane then
  for _, queue in ipairs(request.queues) do
    redis.call('SADD', hungry_key(queue), me)
    redis.call('PEXPIRE', hungry_key(queue), HUNGRY_MS)
  end
end
return reply({leases, lane and true or false})
