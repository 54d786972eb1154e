-- Puts tasks into the indexes in which their records say that they stand, and takes them out of all others. No state changes.
-- request: items {{id, index in which it was found, without the root; '' for none}, ...}, lease (of one that has lost its own).
-- Returns nothing of use.
local ENDED = {SUCCEEDED, FAILED, REVOKED, EXPIRED, REJECTED, IGNORED, SKIPPED, TOMBSTONE}

local function keep_in(index, id, score)
  redis.call('ZADD', index, score, id)
end

local function mend_place(id, v, state)
  local due, purge, collect = v[5], v[6], v[11]
  if v[2] and v[3] and state ~= QUEUED then leave_lane(v[3], v[2], id) end
  if state == QUEUED then
    enter_lane(v[3], v[2], id, tonumber(v[4]), tonumber(v[7]))
  end
  if state == SCHEDULED or state == RETRYING then keep_in(DUE, id, due) else redis.call('ZREM', DUE, id) end
  if state ~= LEASED and state ~= RUNNING then
    redis.call('ZREM', LEASES, id)
  elseif not redis.call('ZSCORE', LEASES, id) then
    keep_in(LEASES, id, int(now + request.lease))
  end
  for _, ended in ipairs(ENDED) do
    if state == ended and (not collect or state == TOMBSTONE) then keep_in(ended_key(ended), id, purge) else redis.call('ZREM', ended_key(ended), id) end
  end
end

local function mend_expiry(id, expires, state)
  local waits = is_waiting({state = state})
  if waits and expires then
    keep_in(EXPIRING, id, expires)
  elseif state ~= LEASED or not expires then
    redis.call('ZREM', EXPIRING, id)
  elseif redis.call('ZSCORE', EXPIRING, id) then
    keep_in(EXPIRING, id, expires)
  end
end

local function mend_key(id, key, til, state)
  if not key or is_terminal(state) or holder_of(key) then return end
  local left = til and tonumber(til) - now or 0
  if not til or left > 0 then hold_key(key, id, left) end
end

for _, item in ipairs(request.items) do
  local id, found = item[1], item[2]
  local v = redis.call('HMGET', task_key(id), 's', 'n', 'q', 'p', 'd', 'u', 'k', 'x', 'U', 'Uu', 'G')
  local state = tonumber(v[1] or 0)
  if string.sub(found, 1, 5) == 'lane:' then
    local queue, name = string.match(found, '^lane:([^:]*):(.*)$')
    if state ~= QUEUED or queue ~= v[3] or name ~= v[2] then leave_lane(queue, name, id) end
  end
  mend_place(id, v, state)
  mend_expiry(id, v[8], state)
  mend_key(id, v[9], v[10], state)
end
return reply(true)
