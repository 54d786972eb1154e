-- The moves of tasks that several transitions share. Stands after prelude.lua, before every script.

local function score_of(priority, sequence)
  return (9 - priority) * PRIORITY_SPAN + sequence
end

-- Puts a task into its lane. The caller counts it as waiting where it did not wait before.
local function enter_lane(queue, name, id, priority, place)
  local arriving = list_in(list_in(arrivals, queue), name)
  arriving[#arriving + 1] = score_of(priority, place)
  arriving[#arriving + 1] = id
end

local function forget_empty_lane(queue, name)
  if redis.call('EXISTS', lane_key(queue, name)) == 0 then
    redis.call('SREM', lanes_key(queue), name)
  end
end

local function leave_lane(queue, name, id)
  store_lanes() -- it may just have entered
  redis.call('ZREM', lane_key(queue, name), id)
  forget_empty_lane(queue, name)
end

-- Sets a time at which something is to be done to a task (DUE, EXPIRING), and tells the gateways' duties where no other
-- comes before it.
local function set_time(index, id, at)
  redis.call('ZADD', index, int(at), id)
  if redis.call('ZRANGE', index, 0, 0)[1] == id then
    redis.call('PUBLISH', root .. 'gateways', 'due')
  end
end

local function delivery_from(id, v)
  if not v[1] then return nil end
  return {
    id = id, state = tonumber(v[1]), fence = v[2], revision = tonumber(v[3] or 0) + 1, expires = v[4] and tonumber(v[4]),
    ttl = v[5] and tonumber(v[5]), watchers = v[6], cancel = v[7], ended_by = v[8], ignores_result = v[9],
    unique = v[10], workflow = v[11],
  }
end

-- What the end of a delivery needs to know of a task, or nil. It is the commonest transition: no more than it needs.
local function load_delivery(id)
  return delivery_from(id, redis.call('HMGET', task_key(id), 's', 'e', 'r', 'x', 'T', 'W', 'C', 'y', 'i', 'U', 'F'))
end

-- What all other transitions need to know of a task, or nil.
local function load(id)
  local v = redis.call(
    'HMGET', task_key(id), 's', 'e', 'r', 'x', 'T', 'W', 'C', 'y', 'i', 'U', 'F',
    'n', 'q', 'p', 'k', 'a', 'o', 'g', 'b', 'A', 'V', 'G'
  )
  local task = delivery_from(id, v)
  if not task then return nil end
  task.name, task.queue, task.priority, task.sequence = v[12], v[13], tonumber(v[14]), tonumber(v[15])
  task.retries, task.lost, task.gateway, task.started = tonumber(v[16] or 0), tonumber(v[17] or 0), v[18], v[19]
  task.once = v[20] -- at most once: it never starts twice
  task.replaced_by, task.collect = v[21], v[22]
  return task
end

local function is_held(task, fence)
  return (task.state == LEASED or task.state == RUNNING) and task.fence == fence
end

-- The task that holds a uniqueness key, or nil. What the key says is true only as far as the holder's record bears it out:
-- nothing can leave a key locked.
local function holder_of(key)
  local value = redis.call('GET', unique_key(key))
  if not value then return nil end
  local id, til = string.match(value, '^(.*) (%d+)$')
  if til ~= '0' then return tonumber(til) > now and id or nil end
  local state = tonumber(redis.call('HGET', task_key(id), 's') or TOMBSTONE)
  return not is_terminal(state) and id or nil
end

-- `window`: how long it is held whatever becomes of the task; 0: until the task has ended.
local function hold_key(key, id, window)
  if window > 0 then
    -- Redis's expiry only tidies up; the time in the value decides.
    redis.call('SET', unique_key(key), id .. ' ' .. int(now + window), 'PX', int(math.ceil(window / 1000)))
  else
    redis.call('SET', unique_key(key), id .. ' 0')
  end
end

local function release_key(task)
  if redis.call('GET', unique_key(task.unique)) == task.id .. ' 0' then
    redis.call('DEL', unique_key(task.unique))
  end
end

-- Every terminal transition of a task goes through here: any state that is not terminal -> a terminal state.
-- The caller has taken the task out of its lane or schedule. `fields` are written with it.
local function finish(task, state, fields)
  local purge = now + (task.ttl or request.result_ttl)
  redis.call('HSET', task_key(task.id), 's', state, 'z', now_text, 'r', task.revision, 'u', purge, unpack(fields or {}))
  if task.expires then redis.call('ZREM', EXPIRING, task.id) end
  if task.unique then release_key(task) end
  if task.workflow then set_off(task.workflow, cmsgpack.pack({'ended', task.id})) end
  if not task.collect then -- a collect is no task, and goes with its workflow
    ended_counts[state] = (ended_counts[state] or 0) + 1
    purge_at(state, task.id, purge)
  end
  changed(task.id, task.watchers, state, task.revision)
  return state
end

local function end_delivery(task)
  ended_leases[#ended_leases + 1] = task.id
end

-- The end of a delivery that does not end the task: {LEASED, RUNNING} -> QUEUED, in its old place; or REVOKED where its
-- cancellation was asked for, or EXPIRED where its time is over. The caller has removed the lease.
local function give_back(task, fields)
  if task.cancel then return finish(task, REVOKED, fields) end
  if task.expires and task.expires <= now then return finish(task, EXPIRED, fields) end
  redis.call('HSET', task_key(task.id), 's', QUEUED, 'r', task.revision, unpack(fields or {}))
  if task.expires then set_time(EXPIRING, task.id, task.expires) end
  enter_lane(task.queue, task.name, task.id, task.priority, task.sequence)
  count_waiting(task.queue, 1)
  changed(task.id, task.watchers, QUEUED, task.revision)
  return QUEUED
end

-- What ran and may run only once is over: {RUNNING} -> FAILED, or REVOKED. Nil: it may go back.
local function end_for_good(task, fields)
  if not task.once or task.state ~= RUNNING then return nil end
  if task.cancel then return finish(task, REVOKED, fields) end
  fields[#fields + 1] = 'E'
  fields[#fields + 1] = request.lost_error
  return finish(task, FAILED, fields)
end

-- A lost delivery: counted, and the task quarantined at the limit: {LEASED, RUNNING} -> FAILED.
local function lose(task, error, fields)
  fields = fields or {}
  fields[#fields + 1] = 'o'
  fields[#fields + 1] = task.lost + 1
  local ended = end_for_good(task, fields)
  if ended then return ended end
  if task.lost + 1 < request.max_lost or task.cancel then return give_back(task, fields) end
  fields[#fields + 1] = 'E'
  fields[#fields + 1] = error
  return finish(task, FAILED, fields)
end

-- {SCHEDULED, RETRYING} or a zero wait -> QUEUED, behind what already waits.
local function make_ready(task)
  local place = take_sequence(1) + 1
  redis.call('HSET', task_key(task.id), 's', QUEUED, 'k', place, 'r', task.revision, 'm', now_text)
  if task.state ~= BLOCKED then redis.call('HDEL', task_key(task.id), 'd') end
  enter_lane(task.queue, task.name, task.id, task.priority, place)
  changed(task.id, task.watchers, QUEUED, task.revision)
  return QUEUED
end

-- A task that waits leaves its place; the caller ends it.
local function stop_waiting(task)
  if task.state == BLOCKED then return end
  if task.state == QUEUED then
    leave_lane(task.queue, task.name, task.id)
  else
    redis.call('ZREM', DUE, task.id)
  end
  count_waiting(task.queue, -1)
end

local function is_waiting(task)
  return task.state == QUEUED or task.state == SCHEDULED or task.state == RETRYING or task.state == BLOCKED
end

-- Applies `move` to each report of a delivery that is still the current one. A report that was already applied answers as
-- it did; any other is told that its lease is lost, and changes nothing. Answers {word, state, cancel requested} a report;
-- the state alone, which is nearly always, where it was applied and there is nothing more to say.
local function each_held(kind, move, loader)
  local answers = {}
  for index, item in ipairs(request.items) do
    local task = (loader or load)(item[1])
    if not task or task.state == TOMBSTONE then
      answers[index] = {'not_found', 0, false}
    elseif is_held(task, item[2]) then
      -- What runs is not told of a revocation that means pending tasks only; a start that waits for this answer is.
      local asked = task.cancel and (task.cancel ~= 'p' or (task.once and task.state == LEASED))
      local state = move(task, item)
      answers[index] = asked and {'ok', state, true} or state
    elseif task.fence == item[2] and (task.ended_by == kind or (task.ended_by == 'retry' and kind == 'failed')) then
      -- A failure that the policy made a retry may be judged otherwise when it is reported again.
      answers[index] = task.state
    else
      answers[index] = {'lease_lost', task.state, false}
    end
  end
  return answers
end

-- When an attempt began, from how long it ran.
local function started_at(run)
  return int(now - run)
end

-- Lists a task among the children of the one that submitted it, which owns the list; one that is gone has none.
local function adopt(parent, id)
  local key = children_key(parent)
  if tonumber(redis.call('HGET', task_key(parent), 's') or TOMBSTONE) ~= TOMBSTONE and redis.call('ZCARD', key) < 1000 then
    redis.call('ZADD', key, now_text, id)
  end
end

-- A terminal task becomes a tombstone: its id and fingerprint stay, so that a late repeat of its submit makes no second task.
local function bury(id, fingerprint, state, window)
  local key, til = task_key(id), int(now + window)
  redis.call('UNLINK', key, children_key(id)) -- frees a large payload outside the script
  redis.call('HSET', key, 's', TOMBSTONE, 'f', fingerprint, 'u', til)
  local ids = list_in(unlisted, state)
  ids[#ids + 1] = id
  purge_at(TOMBSTONE, id, til)
end
