-- A worker reports that tasks run. LEASED -> RUNNING, or EXPIRED where the start came too late.
-- request: items {{id, fence, ran for}, ...}, result_ttl.
-- Returns as each_held().
return reply(each_held('started', function(task, item)
  local began = now - item[3]
  if task.state == RUNNING then return RUNNING end
  if task.expires and task.expires <= began then
    end_delivery(task)
    return finish(task, EXPIRED, {'y', 'started'})
  end
  redis.call('HSET', task_key(task.id), 's', RUNNING, 'b', int(began), 'r', task.revision)
  if task.expires then redis.call('ZREM', EXPIRING, task.id) end
  changed(task.id, task.watchers, RUNNING, task.revision)
  return RUNNING
end))
