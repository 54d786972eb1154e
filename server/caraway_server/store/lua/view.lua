-- Reads tasks with their places in every index, at one moment, for the checker. No state changes.
-- request: items {{id, index in which it was found, without the root; '' for none}, ...}, values (letters).
-- Returns {last sequence number, now, views {{letters, values, places {index, score, ...}, is its lane listed,
--          tasks at its place in the lane, value of its uniqueness key}, ...}}.
local ENDED = {SUCCEEDED, FAILED, REVOKED, EXPIRED, REJECTED, IGNORED, SKIPPED, TOMBSTONE}
local wanted = request.values

local function view(id, found)
  local key = task_key(id)
  local values = redis.call('HMGET', key, unpack(wanted))
  local of = {}
  for position, letter in ipairs(wanted) do of[letter] = values[position] end
  local places = {}
  local function look(index)
    local score = redis.call('ZSCORE', root .. index, id)
    if not score then return nil end
    places[#places + 1] = index
    places[#places + 1] = score
    return score
  end
  look('scheduled')
  look('expiring')
  look('leases')
  for _, state in ipairs(ENDED) do look('ended:' .. state) end
  local lane, listed, twins = '', 0, 0
  if of.q and of.n then
    lane = 'lane:' .. of.q .. ':' .. of.n
    local score = look(lane)
    if score then twins = redis.call('ZCOUNT', root .. lane, score, score) end
    listed = redis.call('SISMEMBER', lanes_key(of.q), of.n)
  end
  if string.sub(found, 1, 5) == 'lane:' and found ~= lane then look(found) end
  return {redis.call('HKEYS', key), values, places, listed, twins, of.U and redis.call('GET', unique_key(of.U))}
end

local views = {}
for position, item in ipairs(request.items) do views[position] = view(item[1], item[2]) end
return reply({tonumber(redis.call('GET', SEQUENCE) or 0), now, views})
