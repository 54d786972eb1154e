-- What happens inside workflows: nodes wait for others, and are decided. For scripts that make (making.lua) or advance them.
-- docs/decisions/0006-workflows.md says how; core/workflow.py has the same rules in plain words.
-- Entries of an outbox are packed arrays: {'part', items} nodes to be made; {'ended', id} a node ended; {'told', id} its end is
-- told again; {'sealed'}; {'sweep'} all nodes are revoked; {'reset'}, {'spread', id} and {'reopen'}, the steps of a retry.
local ACTIVE, ALL_WELL, BROKEN, CANCELLED = 1, 2, 3, 4 -- states of a workflow
local ON_SUCCESS, ON_FAILURE, ON_TERMINAL, ON_OWN_FAILURE = 1, 2, 3, 4
local NEAR = 64 -- successors that stand in a node's own record; further ones are in a list
local WORKFLOWS, PRODUCERS, ENDED_WORKFLOWS = root .. 'workflows', root .. 'producers', root .. 'workflows:ended'

local function nodes_key(workflow) return root .. 'nodes:' .. workflow end
local function open_key(workflow) return root .. 'open:' .. workflow end
local function next_key(id) return root .. 'next:' .. id end
local function members_key(id) return root .. 'members:' .. id end

-- Workflows -----------------------------------------------------------------------------------------------------------

local function load_workflow(id)
  local v = redis.call('HMGET', workflow_key(id),
    's', 'n', 'b', 'e', 'w', 'C', 'Cr', 'Cg', 'Cs', 'K', 'k', 'U', 'r', 'W', 'T', 'E', 'Et', 'P')
  local state = tonumber(v[1] or TOMBSTONE)
  if state == TOMBSTONE then return nil end
  return {
    id = id, state = state, made = tonumber(v[2]), blocked = tonumber(v[3]), ended = tonumber(v[4]), open = v[5],
    cancel = v[6] and {mode = v[6], reason = v[7], grace = tonumber(v[8]), signal = v[9]},
    blame = v[10], cursor = tonumber(v[11] or 0), parts = tonumber(v[12] or 0), revision = tonumber(v[13]),
    watchers = v[14], ttl = v[15] and tonumber(v[15]), failed = v[16] or v[17], lease = tonumber(v[18] or 0),
    by_state = {},
  }
end

local function tell_watchers(workflow)
  for gateway, any in string.gmatch(workflow.watchers or '', '([^ +]+)(%+?)') do
    if any == '+' or workflow.state ~= ACTIVE then
      note(gateway, 'workflow', workflow.id, workflow.state, workflow.revision)
    end
  end
end

local function store_workflow(workflow)
  local key = workflow_key(workflow.id)
  workflow.revision = workflow.revision + 1
  redis.call('HSET', key, 'n', workflow.made, 'b', workflow.blocked, 'e', workflow.ended, 'k', workflow.cursor,
    'U', workflow.parts, 'r', workflow.revision)
  if workflow.blame then redis.call('HSET', key, 'K', workflow.blame) end
  if workflow.ttl then redis.call('HSET', key, 'T', int(workflow.ttl)) end
  for state, change in pairs(workflow.by_state) do
    if redis.call('HINCRBY', key, 'e' .. state, change) == 0 then redis.call('HDEL', key, 'e' .. state) end
  end
  tell_watchers(workflow)
end

local function count_ended(workflow, state, change)
  workflow.ended = workflow.ended + change
  workflow.by_state[state] = (workflow.by_state[state] or 0) + change
end

-- Nothing new starts any more, and what is there is revoked. `error` (a message of the contract) or `text`: why it failed.
local function give_up(workflow, how, error, text)
  local key = workflow_key(workflow.id)
  workflow.open, workflow.cancel = false, how
  redis.call('HDEL', key, 'w')
  redis.call('HSET', key, 'C', how.mode, 'Cr', how.reason, 'Cg', int(how.grace), 'Cs', how.signal)
  if error then
    redis.call('HSET', key, text and 'Et' or 'E', error)
    workflow.failed = error
  end
  redis.call('ZREM', PRODUCERS, workflow.id)
  set_off(workflow.id, cmsgpack.pack({'sweep'}))
end

-- RUNNING -> SUCCEEDED, FAILED, CANCELLED, once nothing is left to be done.
local function end_if_over(workflow)
  if workflow.state ~= ACTIVE or workflow.open or workflow.parts > 0 or workflow.ended < workflow.made then return end
  if follow_ups[workflow.id] or redis.call('EXISTS', outbox_key(workflow.id)) == 1 then return end
  workflow.state = ALL_WELL
  if workflow.failed then
    workflow.state = BROKEN
  elseif workflow.cancel then
    workflow.state = CANCELLED
  elseif workflow.blame then
    workflow.state = BROKEN
  end
  local purge = int(now + (workflow.ttl or request.result_ttl))
  redis.call('HSET', workflow_key(workflow.id), 's', workflow.state, 'z', now_text, 'u', purge)
  redis.call('ZADD', ENDED_WORKFLOWS, purge, workflow.id)
end

-- Nodes ---------------------------------------------------------------------------------------------------------------

local nodes, touched = {}, {}

-- A node, read once a script; false: there is none.
local function node(id)
  if nodes[id] ~= nil then return nodes[id] end
  local v = redis.call('HMGET', task_key(id), 's', 'F', 'r', 'x', 'T', 'W', 'U', 'n', 'q', 'p', 'G', 'C', 'i', 'B', 'Bx', 'By',
    'Bh', 'Bf', 'Mf', 'Ms', 'D', 'K', 'L', 'Lc', 'O', 'J', 'Wa', 'Wd', 'Wt')
  local state = tonumber(v[1] or TOMBSTONE)
  if state == TOMBSTONE then
    nodes[id] = false
    return false
  end
  nodes[id] = {
    id = id, state = state, workflow = v[2], revision = tonumber(v[3]) + 1, expires = v[4] and tonumber(v[4]),
    ttl = v[5] and tonumber(v[5]), watchers = v[6], unique = v[7], name = v[8], queue = v[9], priority = tonumber(v[10]),
    collect = v[11], cancel = v[12], ignores_result = v[13],
    pending = tonumber(v[14] or 0), dead = v[15] and tonumber(v[15]), unneeded = v[16], failure = v[17],
    awaits_failure = v[18], members_failed = tonumber(v[19] or 0), members_succeeded = tonumber(v[20] or 0),
    applied = v[21], blame = v[22], near = v[23] or '', near_count = tonumber(v[24] or 0), open = v[25], replaces = v[26],
    at = tonumber(v[27] or 0), delay = tonumber(v[28] or 0), ttl_once_ready = tonumber(v[29] or 0),
  }
  return nodes[id]
end

local function store_nodes()
  for id, n in pairs(touched) do
    local fields = {'B', n.pending}
    local function set(field, value)
      if value then
        fields[#fields + 1] = field
        fields[#fields + 1] = value
      end
    end
    set('Bx', n.dead)
    set('By', n.unneeded)
    set('Bh', n.failure)
    set('D', n.applied)
    if n.near_count > 0 then
      set('L', n.near)
      set('Lc', n.near_count)
    end
    if n.collect then
      set('Mf', n.members_failed)
      set('Ms', n.members_succeeded)
    end
    redis.call('HSET', task_key(id), unpack(fields))
  end
  nodes, touched = {}, {}
end

local function is_failure(state)
  return state == FAILED or state == REVOKED or state == EXPIRED or state == REJECTED
end

-- Whether an edge fires on the outcome of its node.
local function fires(on, source, into_collect)
  if on == ON_TERMINAL then return true end
  if on == ON_FAILURE then return is_failure(source.state) end
  if on == ON_OWN_FAILURE then return is_failure(source.state) and not source.blame end
  return source.state == SUCCEEDED or (into_collect and not is_failure(source.state))
end

-- The task that failed by itself, where `source` failed.
local function culprit(source)
  return source.blame or source.id
end

-- The node that the edge of this number (from 1) leads from.
local function source_of(n, index)
  if n.collect then
    return string.sub(redis.call('LINDEX', members_key(n.id), index - 1), 2)
  end
  return cmsgpack.unpack(redis.call('HGET', task_key(n.id), 'I'))[index][1]
end

local function end_node(n, state, fields)
  n.state = finish(n, state, fields)
end

-- BLOCKED -> QUEUED, SCHEDULED, or EXPIRED.
local function start(n)
  if n.ttl_once_ready > 0 then
    n.expires = now + n.ttl_once_ready
    redis.call('HSET', task_key(n.id), 'x', int(n.expires))
  end
  if n.expires and n.expires <= now then return end_node(n, EXPIRED) end
  if n.expires then set_time(EXPIRING, n.id, n.expires) end
  count_waiting(n.queue, 1)
  local due = math.max(n.at, now + n.delay)
  if due <= now then
    n.state = make_ready(n)
    return
  end
  n.state = SCHEDULED
  redis.call('HSET', task_key(n.id), 's', SCHEDULED, 'd', int(due), 'r', n.revision)
  set_time(DUE, n.id, due)
  changed(n.id, n.watchers, SCHEDULED, n.revision)
end

-- All nodes before it have ended: BLOCKED -> QUEUED, SCHEDULED, EXPIRED; SUCCEEDED (a collect); FAILED, SKIPPED, REVOKED.
local function decide(workflow, n)
  if workflow.cancel then
    return end_node(n, REVOKED, {'C', workflow.cancel.mode, 'Cr', workflow.cancel.reason})
  end
  if n.dead then
    n.blame = culprit(node(source_of(n, n.dead)))
    return end_node(n, FAILED, {'K', n.blame})
  end
  if n.unneeded or (n.awaits_failure and not n.failure) then return end_node(n, SKIPPED) end
  if n.collect then return end_node(n, SUCCEEDED) end
  start(n)
end

-- One edge's node has ended. `index`: the edge's number among those that lead to `n`.
local function arrive(n, on, index, source)
  n.pending = n.pending - 1
  touched[n.id] = n
  local failed = is_failure(source.state)
  if n.collect then
    if failed then n.members_failed = n.members_failed + 1 end
    if source.state == SUCCEEDED then n.members_succeeded = n.members_succeeded + 1 end
  end
  if on == ON_FAILURE or on == ON_OWN_FAILURE then
    if fires(on, source) then n.failure = 1 end
  elseif not fires(on, source, n.collect) then
    if failed then
      n.dead = math.min(n.dead or index, index)
    else
      n.unneeded = 1
    end
  end
end

-- The same for a node that waits already.
local function deliver(workflow, id, on, index, source)
  local n = node(id)
  if not n or n.state ~= BLOCKED then return end
  arrive(n, on, index, source)
  if n.pending == 0 then
    workflow.blocked = workflow.blocked - 1
    decide(workflow, n)
  end
end

-- Making --------------------------------------------------------------------------------------------------------------

-- Adds an edge from `source` to `n`; where the source's end was told already, it arrives at once. It is noted there all the
-- same: a retry tells it again.
local function connect(n, source, on, index)
  n.pending = n.pending + 1
  if source.applied then arrive(n, on, index, source) end
  local edge = cmsgpack.pack({n.id, on, index})
  if source.near_count < NEAR then
    source.near, source.near_count = source.near .. edge, source.near_count + 1
    touched[source.id] = source
  else
    redis.call('RPUSH', next_key(source.id), edge)
  end
end
