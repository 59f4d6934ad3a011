-- Replaces a hash, but for fields whose new value is not known.
-- KEYS[1] the hash. ARGV: how many fields keep what they hold, their names, then names and values of all others.
local kept = tonumber(ARGV[1])
local old = {}
for i = 1, kept do
  old[i] = redis.call('HGET', KEYS[1], ARGV[i + 1])
end
redis.call('DEL', KEYS[1])
for i = 1, kept do
  if old[i] then
    redis.call('HSET', KEYS[1], ARGV[i + 1], old[i])
  end
end
for i = kept + 2, #ARGV - 1, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
