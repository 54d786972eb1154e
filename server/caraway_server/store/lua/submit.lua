-- Accepts tasks. New -> QUEUED or SCHEDULED.
-- request: items {{id, fingerprint, spec, name, queue, priority, at, delay, until, ttl, result ttl or 0, watch,
--            ignore result, unique key or '', its window, on conflict (r reject, e return the existing, p replace), once,
--            parent or ''}, ...}
--            (at, until: instants; delay, ttl: times from now; 0 where not set; watch: tell this gateway of the end);
--            a plain one ends with its priority: nothing else is set,
--          max_length (of a queue), horizon (how far ahead an instant may lie), all_or_nothing.
-- Returns {now, answers}: true an item that was created and is QUEUED; for all others
--          {word, state, revision, created, due, holder}, word: created, replaced (and the holder revoked), known (same id,
--          same spec), deleted (known, and deleted since), conflict (same id, another spec), queue_full, too_far, rejected
--          (all or nothing), unique_conflict, deduplicated (holder: who has the key).
local PLAIN = 6
local items, horizon = request.items, request.horizon
local NOTHING = {}
local answers, refused = {}, false
local room, seen, seen_keys, replaces = {}, {}, {}, {}

local function room_in(queue)
  if not room[queue] then
    local own_limit = redis.call('HGET', queue_key(queue), 'max_length')
    room[queue] = tonumber(own_limit or request.max_length) - tonumber(redis.call('HGET', DEPTH, queue) or 0)
  end
  return room[queue]
end

-- Whether the uniqueness key lets it in: nil, or the answer; and the queue in which whom it replaces makes room.
local function check_key(id, key, on_conflict)
  local holder = seen_keys[key] or holder_of(key)
  if not holder then return nil end
  local of_holder = redis.call('HMGET', task_key(holder), 's', 'r', 'q')
  local state = tonumber(of_holder[1] or 0)
  if on_conflict == 'e' then return {'deduplicated', state, tonumber(of_holder[2] or 0), 0, 0, holder} end
  local held_by_worker = state == LEASED or state == RUNNING
  if on_conflict == 'p' and not held_by_worker and not seen_keys[key] then
    replaces[id] = holder
    return nil, is_waiting({state = state}) and of_holder[3]
  end
  return {'unique_conflict', state, 0, 0, 0, holder}
end

-- Nearly always none is there, and one call tells.
local function is_any_known()
  local keys = {}
  for index, item in ipairs(items) do
    keys[index] = task_key(item[1])
  end
  for first = 1, #keys, 1000 do
    if redis.call('EXISTS', unpack(keys, first, math.min(first + 999, #keys))) > 0 then return true end
  end
  return false
end
local any_known = is_any_known()

-- Whether what only some tasks ask for lets it in: nil, or the answer; and the queue in which whom it replaces makes room.
local function check_options(item)
  local key = item[14]
  if item[7] > now + horizon or item[9] > now + horizon then return {'too_far', 0, 0, 0, 0, ''} end
  if key == '' then return nil end
  return check_key(item[1], key, item[16])
end

local function check(item)
  local id, fingerprint, queue = item[1], item[2], item[5]
  local known = any_known and redis.call('HMGET', task_key(id), 'f', 's', 'r') or NOTHING
  local known_as = known[1] or seen[id]
  if known_as then
    if known_as ~= fingerprint then return {'conflict', 0, 0, 0, 0, ''} end
    if tonumber(known[2]) == TOMBSTONE then return {'deleted', 0, 0, 0, 0, ''} end
    return {'known', tonumber(known[2] or 0), tonumber(known[3] or 1), 0, 0, ''}
  end
  local answer, freed
  if #item > PLAIN then
    -- Before the queue's room: who is given the existing task needs none.
    answer, freed = check_options(item)
    if answer then return answer end
  end
  if room_in(queue) <= 0 and freed ~= queue then return {'queue_full', 0, 0, 0, 0, ''} end
  if freed then room[freed] = room_in(freed) + 1 end
  if #item > PLAIN and item[14] ~= '' then seen_keys[item[14]] = id end
  room[queue] = room[queue] - 1
  seen[id] = fingerprint
  return false
end

local TAKEN = {known = true, deleted = true, deduplicated = true}
local accepted = 0
for index, item in ipairs(items) do
  answers[index] = check(item)
  if not answers[index] then
    accepted = accepted + 1
  elseif not TAKEN[answers[index][1]] then
    refused = true
  end
end

if refused and request.all_or_nothing then
  for index = 1, #items do
    answers[index] = answers[index] or {'rejected', 0, 0, 0, 0, ''}
  end
  return reply({now, answers})
end

local place = accepted > 0 and take_sequence(accepted)

-- Revokes whom a task replaces.
local function make_way(id)
  local holder = replaces[id] and load(replaces[id])
  if not holder then return nil end
  if is_waiting(holder) then
    stop_waiting(holder)
    finish(holder, REVOKED, {'C', 'p', 'Cr', 'replaced by ' .. id})
  end
  return 'replaced'
end

-- Does and gives as fields what only some tasks ask for; what is said of them, and when they are due.
local function accept_options(item)
  local id, til, fields = item[1], item[9], {}
  local due, word = math.max(item[7], now + item[8]), 'created'
  if item[10] > 0 then til = now + item[10] end
  local function set(field, value)
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  if til > 0 then
    set('x', int(til))
    set_time(EXPIRING, id, til)
  end
  if item[11] > 0 then set('T', int(item[11])) end
  if item[12] then set('W', me) end
  if item[13] then set('i', 1) end
  if item[17] then set('A', 1) end
  if item[14] ~= '' then
    word = make_way(id) or word
    set('U', item[14])
    if item[15] > 0 then set('Uu', int(now + item[15])) end
    hold_key(item[14], id, item[15])
  end
  if due > now then set('d', int(due)) end
  return fields, due, word
end

local function accept(item)
  local id, name, queue, priority = item[1], item[4], item[5], item[6]
  local fields, due, word = NOTHING, now, 'created'
  if #item > PLAIN then fields, due, word = accept_options(item) end
  local state = due > now and SCHEDULED or QUEUED
  place = place + 1
  redis.call(
    'HSET', task_key(id), 's', state, 'n', name, 'q', queue, 'p', priority, 'k', place, 'r', 1, 'c', now_text,
    'f', item[2], 't', item[3], unpack(fields)
  )
  if #item > PLAIN and item[18] ~= '' then adopt(item[18], id) end
  count_waiting(queue, 1)
  if state == SCHEDULED then
    set_time(DUE, id, due)
    return {word, state, 1, now, due, ''}
  end
  enter_lane(queue, name, id, priority, place)
  return word == 'created' or {word, state, 1, now, 0, ''}
end

for index, item in ipairs(items) do
  answers[index] = answers[index] or accept(item)
end
for index, item in ipairs(items) do
  local answer = answers[index]
  if answer ~= true and answer[2] == 0 and (answer[1] == 'known' or answer[1] == 'deduplicated') then
    local id = answer[6] ~= '' and answer[6] or item[1] -- of a task of this very batch
    answer[2] = tonumber(redis.call('HGET', task_key(id), 's') or 0)
    answer[3] = 1
  end
end
return reply({now, answers})
