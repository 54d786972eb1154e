-- Accepts a workflow. New -> RUNNING. A small one is made at once, a larger one by the relay.
-- request: id, fingerprint, name, result ttl or 0 as ttl, lease (of the producer; 0: it is whole), waiting (queues and how many
--          of its nodes enter them at once), max_length (of a queue), latest (instant of a node), horizon (how far
--          ahead it may lie), count (of nodes), items (as making.lua has them) or parts
--          (packed entries of the outbox), result_ttl.
-- Returns {word, about, record}: created, known, deleted, conflict, too_far, queue_full (about: the queue), taken, unknown (about: the node).
local id = request.id
local key = workflow_key(id)

local function refuse(word, about)
  return reply({word, about, {}})
end

local known = redis.call('HMGET', key, 's', 'f')
if known[1] then
  if known[2] ~= request.fingerprint then return refuse('conflict', '') end
  if tonumber(known[1]) == TOMBSTONE then return refuse('deleted', '') end
  return reply({'known', '', redis.call('HGETALL', key)})
end
if request.latest > now + request.horizon then return refuse('too_far', '') end
for queue, count in pairs(request.waiting) do
  local most = tonumber(redis.call('HGET', queue_key(queue), 'max_length') or request.max_length)
  if tonumber(redis.call('HGET', DEPTH, queue) or 0) + count > most then return refuse('queue_full', queue) end
end
local problem = problem_with(id, request.items, false)
if problem then return refuse(problem[1], problem[2]) end

redis.call('HSET', key, 's', ACTIVE, 'f', request.fingerprint, 'c', now_text, 'm', request.name, 'r', 0, 'n', 0, 'b', 0, 'e', 0,
  't', request.count, 'l', 0)
redis.call('ZADD', WORKFLOWS, now_text, id)
if request.ttl > 0 then redis.call('HSET', key, 'T', int(request.ttl)) end
if request.lease > 0 then
  redis.call('HSET', key, 'w', 1, 'P', int(request.lease))
  redis.call('ZADD', PRODUCERS, int(now + request.lease), id)
end
local workflow = load_workflow(id)
if #request.items > 0 then make(workflow, request.items) end
for _, part in ipairs(request.parts) do set_off(id, part) end
workflow.parts = #request.parts
store_nodes()
store_workflow(workflow)
return reply({'created', '', redis.call('HGETALL', key)})
