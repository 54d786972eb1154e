-- How nodes are made; for scripts that make some. Stands after graph.lua.

-- Why items can't be made, {word, id}; or nil. Items: {'task', id, edges, depth, replaces or '', fingerprint, spec, name, queue,
-- priority, at, delay, until, ttl, result ttl, ignore result, once, parent or ''}, {'collect', id, edges, depth, '', fingerprint, open,
-- more follow}, {'rest', id of a collect, edges, last} what followed, {'more', id of a collect, edges} added to one that is there;
-- edges: {{node, on, pass, kwarg}, ...}. `appending`: open collects alone may be added to.
local function problem_with(workflow, items, appending)
  local fresh = {}
  for _, item in ipairs(items) do
    local kind, id = item[1], item[2]
    if kind == 'task' or kind == 'collect' then
      if fresh[id] or redis.call('EXISTS', task_key(id)) == 1 then return {'taken', id} end
      fresh[id] = kind
    elseif fresh[id] ~= 'collect' then
      local n = node(id)
      if not n or n.workflow ~= workflow or not n.collect then return {'unknown', id} end
      local closed = kind == 'more' and appending and (not n.open or n.near_count > 0)
      if n.state ~= BLOCKED or closed then return {'closed', id} end
    end
    for _, edge in ipairs(item[3]) do
      local source = fresh[edge[1]] or node(edge[1])
      if not source or (not fresh[edge[1]] and source.workflow ~= workflow) then return {'unknown', edge[1]} end
    end
  end
  return nil
end

local function awaits_failure(edges)
  for _, edge in ipairs(edges) do
    if edge[2] == ON_FAILURE or edge[2] == ON_OWN_FAILURE then return true end
  end
  return false
end

local function add_edges(n, edges, first)
  local members = {}
  for offset, edge in ipairs(edges) do
    connect(n, node(edge[1]), edge[2], first + offset - 1)
    members[offset] = edge[2] .. edge[1]
  end
  if n.collect then in_parts('RPUSH', members_key(n.id), members) end
  touched[n.id] = n
end

local function task_fields(item, fields)
  local function set(field, value)
    fields[#fields + 1] = field
    fields[#fields + 1] = value
  end
  local id, at, delay, til, ttl, result_ttl = item[2], item[11], item[12], item[13], item[14], item[15]
  set('t', item[7])
  set('n', item[8])
  set('q', item[9])
  set('p', item[10])
  if at > 0 then set('Wa', int(at)) end
  if delay > 0 then set('Wd', int(delay)) end
  if ttl > 0 then set('Wt', int(ttl)) end
  if til > 0 then
    set('x', int(til))
    set_time(EXPIRING, id, til)
  end
  if result_ttl > 0 then set('T', int(result_ttl)) end
  if item[16] then set('i', 1) end
  if item[17] then set('A', 1) end
  if #item[3] > 0 then set('I', cmsgpack.pack(item[3])) end
  if awaits_failure(item[3]) then set('Bf', 1) end
  if item[5] ~= '' then set('J', item[5]) end
end

-- As node() would read it from its record: that would cost as much as all else that is done to make it.
local function fresh_node(workflow, item)
  local n = {
    id = item[2], state = BLOCKED, workflow = workflow.id, revision = 2, name = '', queue = '', priority = 0, pending = 0,
    members_failed = 0, members_succeeded = 0, near = '', near_count = 0, at = 0, delay = 0, ttl_once_ready = 0,
  }
  if item[1] == 'collect' then
    n.collect, n.open = '1', item[7] and '1'
    return n
  end
  n.name, n.queue, n.priority, n.at, n.delay, n.ttl_once_ready = item[8], item[9], item[10], item[11], item[12], item[14]
  n.expires, n.ttl = item[13] > 0 and item[13], item[15] > 0 and item[15]
  n.ignores_result, n.replaces = item[16], item[5] ~= '' and item[5]
  n.awaits_failure = awaits_failure(item[3])
  return n
end

-- New -> BLOCKED, as it stands before its edges are known.
local function write_node(workflow, item, place)
  local kind, id = item[1], item[2]
  workflow.made = workflow.made + 1
  local fields = {
    's', BLOCKED, 'k', place, 'r', 1, 'c', now_text, 'f', item[6], 'F', workflow.id, 'N', workflow.made,
    'M', #item[3], 'Q', item[4],
  }
  if kind == 'task' then
    task_fields(item, fields)
    workflow.ttl = item[15] > (workflow.ttl or request.result_ttl) and item[15] or workflow.ttl
  else
    for _, field in ipairs({'t', '', 'n', '', 'q', '', 'p', 0, 'G', 1}) do fields[#fields + 1] = field end
    if item[7] then
      fields[#fields + 1] = 'O'
      fields[#fields + 1] = 1
      redis.call('RPUSH', open_key(workflow.id), id)
    end
  end
  redis.call('HSET', task_key(id), unpack(fields))
  if kind == 'task' and item[18] ~= '' then adopt(item[18], id) end
  nodes[id] = fresh_node(workflow, item)
end

-- An item of what make() takes: how many things it changes.
local function weight_of(items)
  local weight = 0
  for _, item in ipairs(items) do weight = weight + 1 + #item[3] end
  return weight
end

-- More edges of a collect that still waits; one that is made by the same script is decided when all of it is there.
local function extend(workflow, item, is_fresh)
  local n, edges = node(item[2]), item[3]
  add_edges(n, edges, redis.call('HINCRBY', task_key(n.id), 'M', #edges) - #edges + 1)
  if item[4] then n.pending = n.pending - 1 end
  if n.pending == 0 and not is_fresh then
    workflow.blocked = workflow.blocked - 1
    decide(workflow, n)
  end
end

local function begin(workflow, n)
  local replaced = n.replaces and node(n.replaces)
  if n.pending > 0 then workflow.blocked = workflow.blocked + 1 end
  if replaced and replaced.cancel then -- what it was to replace was revoked meanwhile
    end_node(n, REVOKED, {'C', replaced.cancel, 'Cr', redis.call('HGET', task_key(n.replaces), 'Cr')})
  elseif n.pending == 0 then
    decide(workflow, n)
  end
end

-- Makes nodes that problem_with() has nothing against, and starts those that nothing holds.
local function make(workflow, items)
  local place = take_sequence(#items)
  local ids, fresh = {}, {}
  for index, item in ipairs(items) do
    if item[1] == 'task' or item[1] == 'collect' then
      write_node(workflow, item, place + index)
      ids[#ids + 1] = item[2]
      fresh[item[2]] = true
    end
  end
  in_parts('RPUSH', nodes_key(workflow.id), ids)
  for _, item in ipairs(items) do
    if item[1] == 'more' or item[1] == 'rest' then
      extend(workflow, item, fresh[item[2]])
    else
      local n = node(item[2])
      if n.collect and (item[7] or item[8]) then n.pending = 1 end -- until the seal, or the last of its edges
      add_edges(n, item[3], 1)
    end
  end
  for _, id in ipairs(ids) do begin(workflow, node(id)) end
end
