-- Deletes the list of children of a task that is gone. No task changes state.
-- request: id.
-- Returns nothing of use.
if tonumber(redis.call('HGET', task_key(request.id), 's') or TOMBSTONE) == TOMBSTONE then
  redis.call('UNLINK', children_key(request.id))
end
return reply(true)
