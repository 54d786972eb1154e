-- Stands before every script: the clock, the key names, what is written once a script, and what gateways are told. moves.lua
-- follows.
-- Every script is called with
--   KEYS[1]  the root of all keys, "caraway:{0}:"; its hash tag sends the script to the one shard that it touches
--   ARGV[1]  the calling gateway's id
--   ARGV[2]  the request, a msgpack map
-- and returns msgpack {answer, notes, ended}: notes are what the calling gateway itself must be told (see note()), ended is
-- how many tasks came to which end.
-- Field letters of a task's record are listed in keys.py; times are microseconds of the store's clock.
local root, me, request = KEYS[1], ARGV[1], cmsgpack.unpack(ARGV[2])

local BLOCKED, SCHEDULED, QUEUED, LEASED, RUNNING, RETRYING, REPLACED = 1, 2, 3, 4, 5, 6, 13
local SUCCEEDED, FAILED, REVOKED, EXPIRED, REJECTED, IGNORED, SKIPPED = 7, 8, 9, 10, 11, 12, 14
local TOMBSTONE = 99
local PRIORITY_SPAN = 2 ^ 49 -- sequence numbers stay below it, and 10 spans below 2^53, so a score is exact
local HUNGRY_MS = 30000 -- gateways ask again more often than that

-- Lua's own conversion of large numbers to text is not exact.
local function int(number)
  return string.format('%d', number)
end

local function read_clock()
  local time = redis.call('TIME')
  local offset = redis.call('GET', root .. 'clock') -- set by tests only
  return tonumber(time[1]) * 1000000 + tonumber(time[2]) + (tonumber(offset or 0))
end
local now = read_clock()
local now_text = int(now)

-- Seconds, of which only the difference counts: of the processor's time where the store tells it, so that waiting for a busy
-- machine does not count; else of its clock, which then goes on while a script runs.
local os_library = rawget(_G, 'os')
local function read_stopwatch()
  if os_library then return os_library.clock() end
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local began = read_stopwatch()

-- Whether a script that may leave the rest to its next call is to do so, after request.hold: what a task costs differs with
-- the task and with the machine, and nobody is to wait long (law 3). Asked after each task, so that every call gets on.
local function has_held_long()
  return (read_stopwatch() - began) * 1000000 >= request.hold
end

local function task_key(id) return root .. 'task:' .. id end
local function lane_key(queue, name) return root .. 'lane:' .. queue .. ':' .. name end
local function lanes_key(queue) return root .. 'lanes:' .. queue end
local function hungry_key(queue) return root .. 'hungry:' .. queue end
local DEPTH, SEQUENCE = root .. 'depth', root .. 'sequence'
local function ended_key(state) return root .. 'ended:' .. state end
local function queue_key(queue) return root .. 'queue:' .. queue end
local function worker_key(worker) return root .. 'worker:' .. worker end
local function unique_key(key) return root .. 'unique:' .. key end
local function workflow_key(workflow) return root .. 'workflow:' .. workflow end
local function outbox_key(workflow) return root .. 'outbox:' .. workflow end
local function children_key(id) return root .. 'children:' .. id end
local DUE, EXPIRING, LEASES = root .. 'scheduled', root .. 'expiring', root .. 'leases'
local QUEUES, PAUSED, WORKERS = root .. 'queues', root .. 'paused', root .. 'workers'
local RELAY = root .. 'relay'

local function is_terminal(state)
  return state >= SUCCEEDED and state ~= REPLACED
end

local function list_in(lists, key)
  local list = lists[key]
  if not list then
    list = {}
    lists[key] = list
  end
  return list
end

local notes = {}

-- Tells a gateway something; sent once, in one message a gateway, when the script ends.
local function note(gateway, kind, ...)
  local list = list_in(notes, gateway)
  list[#list + 1] = {kind, ...}
end

-- Tells those who wait for a task that it changed: "GATEWAY" waits for the end, "GATEWAY+" for any change.
local function changed(id, watchers, state, revision)
  if watchers then
    for gateway, any in string.gmatch(watchers, '([^ +]+)(%+?)') do
      if is_terminal(state) and gateway == me then
        -- Who waits here needs the record next: it goes with the note.
        note(gateway, 'task', id, state, revision, redis.call('HGETALL', task_key(id)))
      elseif any == '+' or is_terminal(state) then
        note(gateway, 'task', id, state, revision)
      end
    end
  end
end

-- Gateways that have ended leave their entries behind: where there are several, those to which nobody listens are dropped.
-- A gateway that is only cut off looks at everything again once it listens.
local function with_listeners(watchers)
  local several, count, heard = 4, 0, {}
  for gateway, any in string.gmatch(watchers, '([^ +]+)(%+?)') do
    count = count + 1
    if redis.call('PUBSUB', 'NUMSUB', root .. 'gateway:' .. gateway)[2] > 0 then heard[#heard + 1] = gateway .. any end
  end
  return count < several and watchers or table.concat(heard, ' ')
end

-- Has a gateway told of changes of what stands behind `key`; `entry` as changed() reads it.
local function add_watcher(key, watchers, entry)
  if string.find(' ' .. watchers .. ' ', ' ' .. entry .. ' ', 1, true) then return end
  watchers = with_listeners(watchers)
  redis.call('HSET', key, 'W', watchers == '' and entry or watchers .. ' ' .. entry)
end

local fresh_work, depth_change = {}, {}

-- Tells the gateways whose workers found nothing in a queue that there is something now.
local function wake_hungry()
  for queue in pairs(fresh_work) do
    local gateways = redis.call('SMEMBERS', hungry_key(queue))
    if #gateways > 0 then
      redis.call('DEL', hungry_key(queue))
      for _, gateway in ipairs(gateways) do
        note(gateway, 'work', queue)
      end
    end
  end
end

local function store_depths()
  for queue, change in pairs(depth_change) do
    if change ~= 0 and redis.call('HINCRBY', DEPTH, queue, change) == 0 then
      redis.call('HDEL', DEPTH, queue)
    end
  end
end

local ended_leases, unlisted, purge_times, ended_counts = {}, {}, {}, {}

local function in_parts(command, key, values)
  for first = 1, #values, 1000 do -- a call takes only so many arguments
    redis.call(command, key, unpack(values, first, math.min(first + 999, #values)))
  end
end

-- What many tasks of one call change in the same index is written at once.
local function store_indexes()
  in_parts('ZREM', LEASES, ended_leases)
  for state, ids in pairs(unlisted) do
    in_parts('ZREM', ended_key(state), ids)
  end
  for state, times in pairs(purge_times) do
    in_parts('ZADD', ended_key(state), times)
  end
  ended_leases, unlisted, purge_times = {}, {}, {}
end

-- When an ended task, or a tombstone, is to be deleted.
local function purge_at(state, id, time)
  local times = list_in(purge_times, state)
  times[#times + 1] = time
  times[#times + 1] = id
end

local arrivals = {}

-- As the other indexes, lanes are written at once for all tasks that enter them.
local function store_lanes()
  for queue, names in pairs(arrivals) do
    for name, arriving in pairs(names) do
      in_parts('ZADD', lane_key(queue, name), arriving)
      redis.call('SADD', lanes_key(queue), name)
    end
    fresh_work[queue] = true
  end
  arrivals = {}
end

local sequence

-- The numbers above the one that it returns, so many of them, are the caller's.
local function take_sequence(count)
  sequence = (sequence or tonumber(redis.call('GET', SEQUENCE) or 0)) + count
  return sequence - count
end

local follow_ups = {}

-- What is to be done next in a workflow: written with what sets it off, done by the relay. `entry` is packed.
local function set_off(workflow, entry)
  local entries = list_in(follow_ups, workflow)
  entries[#entries + 1] = entry
end

local function store_follow_ups()
  if not next(follow_ups) then return end
  for workflow, entries in pairs(follow_ups) do
    in_parts('RPUSH', outbox_key(workflow), entries)
    redis.call('ZADD', RELAY, 'NX', now_text, workflow)
  end
  follow_ups = {}
  note(me, 'relay')
end

-- Every script ends with this.
local function reply(answer)
  if sequence then redis.call('SET', SEQUENCE, int(sequence)) end
  store_indexes()
  store_lanes()
  store_depths()
  store_follow_ups()
  wake_hungry()
  local own = {}
  for gateway, list in pairs(notes) do
    if gateway == me then
      own = list
    else
      redis.call('PUBLISH', root .. 'gateway:' .. gateway, cmsgpack.pack(list))
    end
  end
  return cmsgpack.pack({answer, own, ended_counts})
end

local function count_waiting(queue, change)
  depth_change[queue] = (depth_change[queue] or 0) + change
end
