# shellcheck shell=bash
# For the tests of the scripts: clones of them in folders of their own, and stand-ins for programs that a test must not run.

folder=$(mktemp -d) # reached by its owner alone, as root's home is
stand_ins=$folder/programs
calls=$folder/calls # a line for each call of a stand-in that changes something
: >"$calls"
unset STARTED CLUSTER PORT # of the run that this test is a part of
mkdir "$stand_ins"
export PATH=$stand_ins:$PATH calls folder

# make_clone NAME copies what the scripts need, and prints where.
make_clone() {
  mkdir -p "$folder/$1"
  cp -r "$root/local" "$root/images" "$root/charts" "$root/kind-config.yaml" "$folder/$1/"
  echo "$folder/$1"
}

# stand_in FILE writes the program that is on standard input; by a name alone, it comes before any other of that name.
stand_in() {
  local file=$1
  case $file in /*) ;; *) file=$stand_ins/$file ;; esac
  mkdir -p "$(dirname "$file")"
  { printf '#!/usr/bin/env bash\n' && cat; } >"$file"
  chmod +x "$file"
}

# listen_on PORT [deaf] takes it until the test ends; deaf: and takes no connection. In Perl, which is there wherever git is.
# Without ReuseAddr the connections that it ended would keep the port from the next server for a minute.
listen_on() {
  perl -MIO::Socket::INET -e '
    my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 1, ReuseAddr => 1) or die $!;
    $| = 1;
    print "listening\n";
    sleep 600 if $ARGV[1];
    while (my $connection = $listener->accept) { close $connection }' "$1" "${2:-}" >"$folder/listener" &
  listeners+=($!)
  wait_until 10 "a listener on port $1" grep -q listening "$folder/listener"
}
listeners=()

# forget_fixture is for a trap on EXIT.
forget_fixture() {
  [ ${#listeners[@]} = 0 ] || kill "${listeners[@]}" 2>/dev/null || true
  rm -rf "$folder"
}

# expect_said FILE PART… fails the test unless each part is in the file.
expect_said() {
  local file=$1 part
  shift
  for part in "$@"; do
    grep -qF -- "$part" "$file" || fail "'$part' is not in: $(cat "$file")"
  done
}
