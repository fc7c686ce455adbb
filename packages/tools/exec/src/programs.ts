/**
 * What is known of programs that can run other programs. A rule that allows such a program by name would allow
 * everything, so these lists say where a name alone is not enough. They need not be complete to be useful, and they
 * are no allow list: a program that no rule names is asked about whatever stands here.
 */

const list = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Programs that give other rights: never. */
const PRIVILEGE = new Set(
  list("sudo sudoedit su doas pkexec run0 runuser gosu su-exec setpriv capsh newgrp sg machinectl login"),
)

const SHELLS = new Set(
  list(`
    sh bash rbash dash ash zsh ksh ksh93 mksh pdksh oksh yash fish csh tcsh rc es elvish nu nushell xonsh osh ysh
    pwsh powershell cmd command wsl rssh scponly git-shell sash posh
  `),
)

/**
 * Programs that run others because of their arguments, their input, or files of the directory they work in, and some
 * that show or read what is not meant for them: other processes, or files that their input names.
 */
const RUNNERS = new Set(
  list(`
    env xargs parallel nice ionice nohup setsid timeout time stdbuf chrt taskset numactl flock watch entr chroot
    unshare nsenter prlimit unbuffer script scriptreplay screen tmux byobu zellij expect start-stop-daemon daemonize
    daemon run-parts chpst softlimit setuidgid envdir catchsegv linux32 linux64 setarch i386 x86_64 choom uclampset
    busybox toybox box systemd-run systemctl journalctl at batch crontab atd logsave lxc lxc-exec dbus-run-session
    dbus-launch xvfb-run faketime fakeroot fakechroot proot bwrap firejail torsocks torify proxychains proxychains4
    direnv dotenv mise asdf nix nix-shell nix-build guix flatpak snap distrobox toolbox docker podman nerdctl ctr
    runc crun kubectl helm vagrant multipass terraform tofu ansible ansible-playbook packer virsh

    python pypy ipython jupyter node nodejs deno bun tsx ts-node perl ruby irb jruby php lua luajit texlua tclsh
    wish guile racket gosh clisp sbcl ecl emacs emacsclient scheme chicken csi julia r rscript octave gnuplot ghci
    runghc runhaskell stack cabal scala kotlin groovy java jshell jrunscript javac dotnet mono csi fsi swift erl
    elixir iex ocaml awk gawk mawk nawk original-awk sed gsed ed red ex dc m4 bc tex pdftex latex pdflatex xelatex
    lualatex latexmk gs ghostscript osascript qjs d8 jsc dart v zig crystal nim raku perl6 rake pwsh

    git hg svn bzr cvs fossil gh glab ssh scp sftp rsync mosh sshpass ssh-agent ssh-keygen ssh-add autossh slogin
    rsh rlogin telnet ftp lftp nc ncat netcat socat openssl gpg gpg2 pass nmap tcpdump tshark ettercap
    make gmake bmake cmake ctest ninja meson scons bazel bazelisk buck ant gradle gradlew mvn mvnw sbt lein just
    task go cargo rustc rustup gcc cc clang tcc ld as ar cpp gdb lldb strace ltrace perf valgrind rr bpftrace
    npm npx pnpm pnpx yarn yarnpkg corepack pip pipx uv uvx poetry pdm hatch tox nox conda mamba virtualenv
    pytest gem bundle bundler composer brew port apt apt-get aptitude dpkg rpm yum dnf zypper pacman apk emerge
    pre-commit husky lefthook jest vitest mocha eslint prettier tsc webpack vite rollup turbo nx

    vi vim nvim view vimdiff rvim rview nano pico micro joe mcedit kak hx helix ne jed less more most man info pg
    mysql mariadb psql sqlite sqlite3 mongo mongosh redis-cli cqlsh sqlcmd duckdb
    wall write mail mailx mutt sendmail exim procmail find-parallel xdg-open open gio gdbus busctl dbus-send
    convert magick mogrify identify montage ffmpeg mencoder mplayer mpv vlc tar bsdtar cpio zip zipnote rpmbuild logrotate
    rpcclient smbclient wget split csplit ctags cscope restic borg rclone pv xterm gnome-terminal
    sysctl mount umount insmod modprobe ip nft iptables hping3 ldconfig ldd kill pkill killall
    ps top htop pgrep pidof pstree lsof fuser pmap ss who w last locate xmllint xsltproc pandoc libreoffice soffice
    msfconsole check_by_ssh dvips eqn troff groff nroff aspell gcore ghc dmesg loginctl
  `),
)

/**
 * Options with which a program that is otherwise harmless runs another one, writes where its arguments say, follows
 * links, or reads files that another file names.
 */
const OPTIONS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    find: "-exec -execdir -ok -okdir -delete -fprint -fprint0 -fprintf -fls -L -H -follow -files0-from",
    fd: "-x --exec -X --exec-batch -L --follow",
    fdfind: "-x --exec -X --exec-batch -L --follow",
    grep: "-R --dereference-recursive",
    egrep: "-R --dereference-recursive",
    fgrep: "-R --dereference-recursive",
    rg: "--pre --hostname-bin -L --follow --search-zip -z",
    ag: "--pager -f --follow",
    ack: "--pager --ackrc --follow -x --files-from",
    sort: "--compress-program -o --output -T --temporary-directory --files0-from",
    wc: "--files0-from",
    du: "--files0-from -L --dereference -D --dereference-args -H",
    ls: "-L --dereference",
    cp: "-L --dereference -H",
    diff: "-r --recursive",
    curl: "-K --config --engine -o --output -O --remote-name -D --dump-header -c --cookie-jar --trace --trace-ascii --libcurl --stderr -T --upload-file --unix-socket --abstract-unix-socket",
    date: "-s --set",
    install: "--strip-program",
    bat: "--pager",
    delta: "--pager",
    tree: "-o -l",
    file: "-C --compile -m --magic-file -f --files-from",
    hostname: "-F -b --file --boot",
    jq: "-L --library-path --from-file -f",
    yq: "-i --inplace",
    shuf: "-o --output",
    md5sum: "-c --check",
    sha1sum: "-c --check",
    sha256sum: "-c --check",
    sha512sum: "-c --check",
    b2sum: "-c --check",
    cksum: "-c --check",
  }).map(([name, options]) => [name, options.split(" ")]),
)

/** Words of long options that name something to be run or to be read as orders, of whatever program. */
const TELLING = new Set(
  list(`
    exec execute command cmd program pager editor script shell rsh pre plugin plugins hook hooks engine filter
    preprocessor helper runner rcfile config eval expression require preload module askpass
  `),
)

/** What is special about a program, by any of the names it goes by. */
export type ProgramKind = "privilege" | "shell" | "runner"

/** Programs that are one file under many names, and do what the name says that they are called by. */
const MANY = new Set(list("busybox toybox box coreutils"))

/**
 * The kind of a program that is called `called` and whose real file is called `real`, or undefined when nothing is
 * known against it.
 */
export function kindOf(called: string, real: string): ProgramKind | undefined {
  const all = [called, ...(MANY.has(real) ? [] : [real])].flatMap(variants)
  const is = (kind: ReadonlySet<string>): boolean => all.some((name) => kind.has(name))
  if (is(PRIVILEGE)) return "privilege"
  if (is(SHELLS)) return "shell"
  // The dynamic loader runs whatever it is given.
  if (is(RUNNERS) || all.some((name) => /^ld([-.].*)?\.so(\.|$)/.test(name))) return "runner"
  return undefined
}

/** The first argument that makes a harmless program run another one or write elsewhere. */
export function tellingArgument(names: readonly string[], args: readonly string[]): string | undefined {
  const options = names.flatMap(variants).flatMap((name) => OPTIONS.get(name) ?? [])
  return args.find((arg) => isTelling(arg) || options.some((option) => isOption(arg, option)))
}

/** Also abbreviated (`--compress-prog=x`), joined (`-ofile`) or in a cluster (`-ro`). */
function isOption(arg: string, option: string): boolean {
  if (!arg.startsWith("-")) return false
  if (option.startsWith("--")) {
    const name = arg.split("=", 1)[0] as string
    return name.length > 2 && name.startsWith("--") && option.startsWith(name)
  }
  // Of one dash and one letter: anywhere in a cluster. More letters are one word, as `find` has them.
  if (option.length === 2) return !arg.startsWith("--") && arg.includes(option.slice(1))
  return arg === option
}

function isTelling(arg: string): boolean {
  if (!arg.startsWith("-")) return /^(proxycommand|localcommand|permitlocalcommand)\b/i.test(arg)
  const [name = ""] = arg.slice(arg.startsWith("--") ? 2 : 1).split("=", 1)
  return (
    name.length > 2 &&
    name
      .toLowerCase()
      .split(/[-_.]/)
      .some((word) => TELLING.has(word))
  )
}

/** `python3.11`, `gcc-12`, `x86_64-linux-gnu-gcc-12` and `Bash.EXE` are known by their plain names as well. */
function variants(name: string): readonly string[] {
  const plain = name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\.(exe|com|bat|cmd)$/, "")
  const unversioned = plain.replace(/[-_.]?\d+([-_.]\d+)*[a-z]?$/, "")
  return [plain, unversioned, unversioned.slice(unversioned.lastIndexOf("-") + 1)]
}
