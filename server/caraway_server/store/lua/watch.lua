-- Reads a task and, unless what the caller waits for is there, has this gateway told of its changes. No state changes.
-- request: id, after (0: wait for the end; else for a greater revision).
-- Returns the record as a flat list of fields and values; empty: there is none.
local id, after = request.id, request.after
local key = task_key(id)
local v = redis.call('HMGET', key, 's', 'r', 'W')
if not v[1] or tonumber(v[1]) == TOMBSTONE then return reply({}) end
local state, revision, watchers = tonumber(v[1]), tonumber(v[2]), v[3] or ''
local there = is_terminal(state) or (after > 0 and revision > after)
local entry = after > 0 and me .. '+' or me

if not there then add_watcher(key, watchers, entry) end
return reply(redis.call('HGETALL', key))
