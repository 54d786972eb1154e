-- Makes more nodes of an open workflow, all that are given or none, and renews its producer's lease.
-- request: id, part (0: renew only), piece (of the part, from 1), last (the part is complete with it), items, count (of nodes),
--          most (nodes of a workflow), waiting, max_length, latest, horizon, result_ttl.
-- Returns {word, about, last part}: made, known, not_found, not_open, missing (a part before it), busy (earlier nodes are not made
-- yet), full, too_far, queue_full (about: the queue), taken, unknown, closed (about: the node).
local key = workflow_key(request.id)
local workflow = load_workflow(request.id)
if not workflow then return reply({'not_found', '', 0}) end
local v = redis.call('HMGET', key, 'l', 'lp', 't')
local last, piece, accepted = tonumber(v[1]), tonumber(v[2] or 0), tonumber(v[3])

local function answer(word, about)
  return reply({word, about or '', last})
end

if request.part > 0 and (request.part <= last or (request.part == last + 1 and request.piece <= piece)) then
  return answer('known')
end
if not workflow.open then return answer('not_open') end
if request.part > 0 then
  if request.part > last + 1 or request.piece > piece + 1 then return answer('missing') end
  if workflow.parts > 0 then return answer('busy') end
  if accepted + request.count > request.most then return answer('full') end
  if request.latest > now + request.horizon then return answer('too_far') end
  for queue, count in pairs(request.waiting) do
    local most = tonumber(redis.call('HGET', queue_key(queue), 'max_length') or request.max_length)
    if tonumber(redis.call('HGET', DEPTH, queue) or 0) + count > most then return answer('queue_full', queue) end
  end
  local problem = problem_with(request.id, request.items, true)
  if problem then return answer(problem[1], problem[2]) end
end

redis.call('ZADD', PRODUCERS, int(now + workflow.lease), request.id)
if request.part > 0 then
  if request.last then
    last = request.part
    redis.call('HSET', key, 'l', last, 'lp', 0)
  else
    redis.call('HSET', key, 'lp', request.piece)
  end
  redis.call('HINCRBY', key, 't', request.count)
  make(workflow, request.items)
  store_nodes()
  store_workflow(workflow)
end
return answer('made')
