-- Reads a task and, unless what the caller waits for is there, has this gateway told of its changes. No state changes.
-- request: id, after (0: wait for the end; else for a greater revision).
-- Returns the record as a flat list of fields and values; empty: there is none.
local id, after = request.id, request.after
local key = task_key(id)
local v = redis.call('HMGET', key, 's', 'r', 'W')
if not v[1] or tonumber(v[1]) == TOMBSTONE then return reply({}) end
local state, revision, watchers = tonumber(v[1]), tonumber(v[2]), v[3] or ''
local there = is_terminal(state) or (after > 0 and revision > after)
local entry = after > 0 and me .. '+' or me

-- Gateways that have ended leave their entries behind: where there are several, those to which nobody listens are dropped.
-- A gateway that is only cut off looks at everything again once it listens.
local SEVERAL = 4
local function with_listeners(entries)
  local count, heard = 0, {}
  for gateway, any in string.gmatch(entries, '([^ +]+)(%+?)') do
    count = count + 1
    if redis.call('PUBSUB', 'NUMSUB', root .. 'gateway:' .. gateway)[2] > 0 then heard[#heard + 1] = gateway .. any end
  end
  return count < SEVERAL and entries or table.concat(heard, ' ')
end

if not there and not string.find(' ' .. watchers .. ' ', ' ' .. entry .. ' ', 1, true) then
  watchers = with_listeners(watchers)
  redis.call('HSET', key, 'W', watchers == '' and entry or watchers .. ' ' .. entry)
end
return reply(redis.call('HGETALL', key))
