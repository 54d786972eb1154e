-- Releases a uniqueness key whose holder does not hold it. No task changes state.
-- request: key.
-- Returns nothing of use.
local key = request.key
local id, til = string.match(redis.call('GET', unique_key(key)) or '', '^(.*) (%d+)$')
if til == '0' then
  local of_holder = redis.call('HMGET', task_key(id), 's', 'U')
  if tonumber(of_holder[1] or TOMBSTONE) >= SUCCEEDED or of_holder[2] ~= key then
    redis.call('DEL', unique_key(key))
  end
elseif not til then
  redis.call('DEL', unique_key(key))
end
return reply(true)
