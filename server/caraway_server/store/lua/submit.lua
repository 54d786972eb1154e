-- Accepts tasks. New -> QUEUED or SCHEDULED.
-- request: items {{id, fingerprint, spec, name, queue, priority, at, delay, until, ttl, result ttl or 0, watch,
--            ignore result}, ...}
--            (at, until: instants; delay, ttl: times from now; 0 where not set; watch: tell this gateway of the end),
--          max_length (of a queue), horizon (how far ahead an instant may lie), all_or_nothing.
-- Returns a {word, state, revision, created, due} an item; word: created, known (same id, same spec), deleted (known, and
--          deleted since), conflict (same id, another spec), queue_full, too_far, rejected (all or nothing).
local items, horizon = request.items, request.horizon
local answers, refused = {}, false
local room, seen = {}, {}

local function room_in(queue)
  if not room[queue] then
    room[queue] = request.max_length - tonumber(redis.call('HGET', DEPTH, queue) or 0)
  end
  return room[queue]
end

local function check(item)
  local id, fingerprint, queue, at, til = item[1], item[2], item[5], item[7], item[9]
  local known = redis.call('HMGET', task_key(id), 'f', 's', 'r')
  local known_as = known[1] or seen[id]
  if known_as then
    if known_as ~= fingerprint then return {'conflict', 0, 0, 0, 0} end
    if tonumber(known[2]) == TOMBSTONE then return {'deleted', 0, 0, 0, 0} end
    return {'known', tonumber(known[2] or 0), tonumber(known[3] or 1), 0, 0}
  end
  if at > now + horizon or til > now + horizon then return {'too_far', 0, 0, 0, 0} end
  if room_in(queue) <= 0 then return {'queue_full', 0, 0, 0, 0} end
  room[queue] = room[queue] - 1
  seen[id] = fingerprint
  return false
end

local accepted = 0
for index, item in ipairs(items) do
  answers[index] = check(item)
  if not answers[index] then
    accepted = accepted + 1
  elseif answers[index][1] ~= 'known' and answers[index][1] ~= 'deleted' then
    refused = true
  end
end

if refused and request.all_or_nothing then
  for index = 1, #items do
    answers[index] = answers[index] or {'rejected', 0, 0, 0, 0}
  end
  return reply(answers)
end

local lanes, lane_members = {}, {}

local function line_up(queue, name, id, priority, sequence)
  local lane = lane_key(queue, name)
  if not lanes[lane] then
    lanes[lane] = {queue, name}
    lane_members[lane] = {}
  end
  local members = lane_members[lane]
  members[#members + 1] = int(score_of(priority, sequence))
  members[#members + 1] = id
end

local sequence = 0
if accepted > 0 then
  sequence = redis.call('INCRBY', SEQUENCE, accepted) - accepted
end

local function accept(item)
  local id, fingerprint, spec, name, queue, priority = item[1], item[2], item[3], item[4], item[5], item[6]
  local due, expires = math.max(item[7], now + item[8]), item[9]
  if item[10] > 0 then expires = now + item[10] end
  local state = due > now and SCHEDULED or QUEUED
  sequence = sequence + 1
  local fields = {
    's', state, 'n', name, 'q', queue, 'p', priority, 'k', sequence, 'r', 1, 'c', int(now), 'f', fingerprint, 't', spec,
  }
  local function set(field, value)
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  if expires > 0 then
    set('x', int(expires))
    set_time(EXPIRING, id, expires)
  end
  if item[11] > 0 then set('T', int(item[11])) end
  if item[12] then set('W', me) end
  if item[13] then set('i', 1) end
  if state == SCHEDULED then set('d', int(due)) end
  redis.call('HSET', task_key(id), unpack(fields))
  if state == SCHEDULED then
    set_time(DUE, id, due)
  else
    line_up(queue, name, id, priority, sequence)
  end
  count_waiting(queue, 1)
  return {'created', state, 1, now, state == SCHEDULED and due or 0}
end

for index, item in ipairs(items) do
  answers[index] = answers[index] or accept(item)
end
for index, item in ipairs(items) do
  local answer = answers[index]
  if answer[1] == 'known' and answer[2] == 0 then -- the same task twice in this batch
    answer[2] = tonumber(redis.call('HGET', task_key(item[1]), 's'))
  end
end
for lane, place in pairs(lanes) do
  redis.call('ZADD', lane, unpack(lane_members[lane]))
  redis.call('SADD', lanes_key(place[1]), place[2])
  fresh_work[place[1]] = true
end
return reply(answers)
