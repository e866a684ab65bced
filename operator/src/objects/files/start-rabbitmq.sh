# Starts the broker. After an image that has not run on this data before it enables the feature flags that came with it: the next
# minor version does not start without all of them.
set -eu
only_one "$HOME/lock"
# A volume that was restored or mounted anew is opened to its group, and Erlang refuses a cookie that others may read.
cookie="$HOME/.erlang.cookie"
[ ! -e "$cookie" ] || chmod 0400 "$cookie"

flags_of="$HOME/.feature-flags-of"
if [ ! -d "$HOME/mnesia" ]; then
    # A new node begins with all of its flags.
    printf %s "$IMAGE" >"$flags_of"
elif [ ! -e "$flags_of" ] || [ "$(cat "$flags_of")" != "$IMAGE" ]; then
    (rabbitmqctl await_startup --timeout 600 && rabbitmqctl enable_feature_flag all && printf %s "$IMAGE" >"$flags_of") &
fi
exec rabbitmq-server
