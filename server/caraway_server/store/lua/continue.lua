-- Deliveries that end with new nodes: added to the task's workflow, or in its place. LEASED, RUNNING -> SUCCEEDED, REPLACED, or
-- REVOKED where its cancellation was asked for.
-- request: kind (succeeded or replaced), result_ttl, items {{id, fence, ran for, blob or '', parts (packed entries of the outbox),
--          count (of nodes), output ('' or the node that it is replaced by)}, ...}.
-- Returns as each_held().
local kind = request.kind

-- The workflow of a task; one that has none becomes the first node of a new one.
local function workflow_of(task)
  if task.workflow then return task.workflow end
  local id = 'of.' .. task.id
  redis.call('HSET', workflow_key(id), 's', ACTIVE, 'f', '', 'c', now_text, 'm', '', 'r', 1, 'n', 1, 'b', 0, 'e', 0, 't', 1, 'l', 0)
  if task.ttl then redis.call('HSET', workflow_key(id), 'T', int(task.ttl)) end
  redis.call('ZADD', WORKFLOWS, now_text, id)
  redis.call('RPUSH', nodes_key(id), task.id)
  redis.call('HSET', task_key(task.id), 'F', id, 'N', 1, 'B', 0, 'M', 0, 'Q', 0)
  task.workflow = id
  return id
end

return reply(each_held(kind, function(task, item)
  local run, blob, parts, count, output = item[3], item[4], item[5], item[6], item[7]
  end_delivery(task)
  local fields = {'y', kind}
  if run > 0 then
    fields[3], fields[4] = 'b', started_at(run)
  end
  if task.cancel then return finish(task, REVOKED, fields) end
  local workflow = workflow_of(task)
  for _, part in ipairs(parts) do set_off(workflow, part) end -- before the task's own end: joins that it is in grow first
  redis.call('HINCRBY', workflow_key(workflow), 'U', #parts)
  redis.call('HINCRBY', workflow_key(workflow), 't', count)
  if output == '' then
    if blob ~= '' and not task.ignores_result then
      fields[#fields + 1] = 'R'
      fields[#fields + 1] = blob
    end
    return finish(task, SUCCEEDED, fields)
  end
  redis.call('HSET', task_key(task.id), 's', REPLACED, 'V', output, 'r', task.revision, unpack(fields))
  if task.expires then redis.call('ZREM', EXPIRING, task.id) end
  changed(task.id, task.watchers, REPLACED, task.revision)
  return REPLACED
end))
