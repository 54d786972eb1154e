-- A worker reports that tasks run. LEASED -> RUNNING, or EXPIRED where the start came too late.
-- request: items {{id, fence, ran for, at most once (the worker says so)}, ...}, result_ttl.
-- Returns as each_held().
local SUBMITTED, SAID = '1', '2' -- what makes a task one that runs at most once

local said = {}
for _, item in ipairs(request.items) do
  if item[4] then said[item[1] .. ' ' .. item[2]] = true end
end

-- What an earlier delivery's worker said counts no longer.
local function load_start(id)
  local task = load(id)
  if not task then return nil end
  task.kept = task.once
  if task.once ~= SUBMITTED then
    task.once = said[id .. ' ' .. (task.fence or '')] and SAID or false
  end
  return task
end

local function keep_once(task)
  if task.once == task.kept then return end
  if task.once then
    redis.call('HSET', task_key(task.id), 'A', task.once)
  else
    redis.call('HDEL', task_key(task.id), 'A')
  end
end

return reply(each_held('started', function(task, item)
  local began = now - item[3]
  if task.state == RUNNING then
    keep_once(task)
    return RUNNING
  end
  if task.expires and task.expires <= began then
    end_delivery(task)
    return finish(task, EXPIRED, {'y', 'started'})
  end
  redis.call('HSET', task_key(task.id), 's', RUNNING, 'b', int(began), 'r', task.revision)
  keep_once(task)
  if task.expires then redis.call('ZREM', EXPIRING, task.id) end
  changed(task.id, task.watchers, RUNNING, task.revision)
  return RUNNING
end, load_start))
