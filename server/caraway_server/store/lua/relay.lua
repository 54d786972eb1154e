-- Does what is next in workflows: takes entries of their outboxes, a bounded amount of work at a time, and does each in the
-- script that takes it off. What is left of an entry is noted by the workflow's cursor.
-- request: limit (nodes and edges), hold, workflow ('' for those that wait longest), result_ttl, lapsed (the error of a workflow whose
--          producer vanished).
-- Returns {work, now, next time or 0}.
local budget = request.limit
local steps = {}

-- The next page of a workflow's nodes, or of another list of ids; the step is over when it is empty.
local function page_of(key, workflow)
  local ids = redis.call('LRANGE', key, workflow.cursor, workflow.cursor + math.max(budget, 1) - 1)
  budget = budget - #ids - 1
  workflow.cursor = workflow.cursor + #ids
  return ids
end

function steps.part(workflow, items)
  local weight = weight_of(items)
  if weight > budget and budget < request.limit then
    budget = 0 -- the next pass makes them
    return false
  end
  budget = budget - weight
  local problem = not workflow.failed and problem_with(workflow.id, items, false)
  workflow.parts = workflow.parts - 1
  if problem then
    local how = {mode = 't', reason = 'a node could not be made', grace = 0, signal = ''}
    give_up(workflow, how, 'node ' .. problem[2] .. ' could not be made: ' .. problem[1], true)
  elseif not workflow.failed then
    make(workflow, items)
  end
  return true
end

local function take_outcome(n, source)
  local v = redis.call('HMGET', task_key(source.id), 'R', 'E', 'K', 'Cr')
  local fields = {}
  for index, field in ipairs({'R', 'E', 'K', 'Cr'}) do
    if v[index] and not (field == 'R' and n.ignores_result) then
      fields[#fields + 1] = field
      fields[#fields + 1] = v[index]
    end
  end
  n.blame = v[3]
  end_node(n, source.state, fields)
end

local function note_end(workflow, n)
  count_ended(workflow, n.state, 1)
  if n.pending > 0 then workflow.blocked = workflow.blocked - 1 end -- revoked, or expired, while it waited
  if is_failure(n.state) and not workflow.blame then workflow.blame = culprit(n) end
  local replaced = n.replaces and node(n.replaces)
  if replaced and replaced.state == REPLACED then take_outcome(replaced, n) end
end

-- Tells those that come after a node. The cursor counts the record's own successors as one.
local function tell_successors(workflow, n)
  if workflow.cursor == 0 then
    if n.near_count > 0 then
      for _, edge in ipairs({cmsgpack.unpack(n.near)}) do deliver(workflow, edge[1], edge[2], edge[3], n) end
    end
    budget = budget - n.near_count - 1
    workflow.cursor = 1
  end
  if n.near_count == NEAR then
    if budget <= 0 then return false end
    local edges = redis.call('LRANGE', next_key(n.id), workflow.cursor - 1, workflow.cursor + budget - 2)
    for _, edge in ipairs(edges) do
      local id, on, index = unpack(cmsgpack.unpack(edge))
      deliver(workflow, id, on, index, n)
    end
    local full = #edges == budget
    budget = budget - #edges
    workflow.cursor = workflow.cursor + #edges
    if full then return false end
  end
  n.applied = 1
  touched[n.id] = n
  return true
end

function steps.ended(workflow, id)
  local n = node(id)
  if not n or not is_terminal(n.state) then return true end
  if workflow.cursor == 0 then note_end(workflow, n) end
  return tell_successors(workflow, n)
end

function steps.told(workflow, id)
  local n = node(id)
  if not n or not is_terminal(n.state) then return true end
  return tell_successors(workflow, n)
end

function steps.sealed(workflow)
  local ids = page_of(open_key(workflow.id), workflow)
  for _, id in ipairs(ids) do
    local n = node(id)
    redis.call('HDEL', task_key(id), 'O')
    if n.state == BLOCKED then
      n.pending = n.pending - 1
      touched[id] = n
      if n.pending == 0 then
        workflow.blocked = workflow.blocked - 1
        decide(workflow, n)
      end
    end
  end
  if #ids > 0 then return false end
  redis.call('DEL', open_key(workflow.id))
  return true
end

function steps.sweep(workflow)
  store_nodes()
  local ids = page_of(nodes_key(workflow.id), workflow)
  for _, id in ipairs(ids) do
    local task = load(id)
    if task and task.state ~= TOMBSTONE then revoke(task, workflow.cancel) end
  end
  return #ids == 0
end

local reset

-- A collect of something that runs again is decided again too, even one that succeeded: its outcome is what it collected.
local function reset_collect(workflow, id)
  local n = node(id)
  if n and n.collect and is_terminal(n.state) then reset(workflow, n) end
end

-- A node runs again, or is decided again: what its last end left is taken off it.
function reset(workflow, n)
  local key = task_key(n.id)
  count_ended(workflow, n.state, -1)
  if not n.collect then redis.call('ZREM', ended_key(n.state), n.id) end
  local v = redis.call('HMGET', key, 'V', 'M', 'r')
  redis.call('HDEL', key, 'd', 'u', 'x', 'z', 'C', 'Cg', 'Cr', 'Cs', 'E', 'P', 'R', 'S', 'D', 'K', 'Bx', 'By', 'Bh', 'Mf', 'Ms',
    'O')
  local state = v[1] and REPLACED or BLOCKED
  if state == BLOCKED then redis.call('HDEL', key, 'a', 'b', 'o', 'y') end
  local pending = tonumber(v[2] or 0)
  redis.call('HSET', key, 's', state, 'r', n.revision, 'B', state == BLOCKED and pending or 0)
  if state == BLOCKED and pending > 0 then workflow.blocked = workflow.blocked + 1 end
  changed(n.id, n.watchers, state, n.revision)
  n.state, n.pending, n.applied = state, state == BLOCKED and pending or 0, false
  if n.near_count > 0 then
    for _, edge in ipairs({cmsgpack.unpack(n.near)}) do reset_collect(workflow, edge[1]) end
  end
  if n.near_count == NEAR then set_off(workflow.id, cmsgpack.pack({'spread', n.id})) end
end

-- The successors of a node that was reset that do not stand in its record.
function steps.spread(workflow, id)
  store_nodes()
  local edges = redis.call('LRANGE', next_key(id), workflow.cursor, workflow.cursor + math.max(budget, 1) - 1)
  for _, edge in ipairs(edges) do reset_collect(workflow, cmsgpack.unpack(edge)[1]) end
  budget = budget - #edges - 1
  workflow.cursor = workflow.cursor + #edges
  nodes = {}
  return #edges == 0
end

function steps.reset(workflow)
  store_nodes()
  local ids = page_of(nodes_key(workflow.id), workflow)
  for _, id in ipairs(ids) do
    local n = node(id)
    if n and (is_failure(n.state) or n.state == SKIPPED) then reset(workflow, n) end
  end
  nodes = {}
  if #ids > 0 then return false end
  set_off(workflow.id, cmsgpack.pack({'reopen'}))
  return true
end

-- Those that were kept tell their end again, to those that were reset; those that nothing comes before start.
function steps.reopen(workflow)
  local ids = page_of(nodes_key(workflow.id), workflow)
  for _, id in ipairs(ids) do
    local n = node(id)
    if n and n.state == BLOCKED and n.pending == 0 then
      decide(workflow, n)
    elseif n and n.applied and n.near_count > 0 then
      set_off(workflow.id, cmsgpack.pack({'told', id}))
    end
  end
  return #ids == 0
end

local function advance(workflow)
  local outbox = outbox_key(workflow.id)
  while budget > 0 do
    local entry = redis.call('LINDEX', outbox, 0)
    if entry then
      local kind, about = unpack(cmsgpack.unpack(entry))
      if steps[kind](workflow, about) then
        redis.call('LPOP', outbox)
        workflow.cursor = 0
      end
      if has_held_long() then budget = math.min(budget, 0) end
    elseif follow_ups[workflow.id] then
      in_parts('RPUSH', outbox, follow_ups[workflow.id])
      follow_ups[workflow.id] = nil
    else
      return
    end
  end
end

local function work_on(id)
  local workflow = load_workflow(id)
  if not workflow then
    redis.call('DEL', outbox_key(id))
    redis.call('ZREM', RELAY, id)
    return
  end
  advance(workflow)
  store_nodes()
  end_if_over(workflow)
  store_workflow(workflow)
  if redis.call('EXISTS', outbox_key(id)) == 1 then
    redis.call('ZADD', RELAY, now_text, id) -- behind the others
  else
    redis.call('ZREM', RELAY, id)
  end
end

-- Producers that neither appended nor sealed for too long.
local over = redis.call('ZRANGE', PRODUCERS, '-inf', now_text, 'BYSCORE', 'LIMIT', 0, 10)
for _, id in ipairs(over) do
  local workflow = load_workflow(id)
  local how = {mode = 't', reason = 'its producer vanished', grace = 0, signal = ''}
  if workflow then give_up(workflow, how, request.lapsed, false) else redis.call('ZREM', PRODUCERS, id) end
end
store_follow_ups()

local chosen = request.workflow ~= '' and {request.workflow} or redis.call('ZRANGE', RELAY, 0, 49)
for _, id in ipairs(chosen) do
  if budget > 0 then work_on(id) end
end
store_follow_ups()
local following = tonumber(redis.call('ZRANGE', PRODUCERS, 0, 0, 'WITHSCORES')[2] or 0)
if redis.call('EXISTS', RELAY) == 1 then following = now end
return reply({request.limit - budget, now, following})
