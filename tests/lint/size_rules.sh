# shellcheck shell=bash
# Sizes: a function fits on a screen, a file in a head.

readonly FUNCTION_LINES_MAX=70
readonly FILE_LINES_MAX=600

long_functions() {
    files c | ctags -L - --c-kinds=f --fields=+ne -o - 2> /dev/null |
        awk -F'\t' -v most="$FUNCTION_LINES_MAX" '
            { start = 0; end = 0
              for (i = 4; i <= NF; i++) {
                  if ($i ~ /^line:/) start = substr($i, 6)
                  if ($i ~ /^end:/) end = substr($i, 5)
              }
              if (end - start + 1 > most) print $2 ":" start ": " $1 " has " end - start + 1 " lines" }'
}

# Shell functions too; they begin with "name() {" and end with a brace at the margin.
long_shell_functions() {
    # shellcheck disable=SC2016 # awk's own
    shell_files | xargs -r -d '\n' awk -v most="$FUNCTION_LINES_MAX" '
        FNR == 1 { start = 0 }
        /^[a-z_]+\(\) [({]$/ { name = $1; start = FNR }
        /^[})]/ { if (start && FNR - start + 1 > most)
                      print FILENAME ":" start ": " name " has " FNR - start + 1 " lines"
                  start = 0 }'
}

long_files() {
    { files c h js sql sh; shell_files; } | sort -u | xargs -r -d '\n' wc -l |
        awk -v most="$FILE_LINES_MAX" '$2 != "total" && $1 > most { print $2 " has " $1 " lines" }'
}

long_lines() {
    files c h | xargs -r -d '\n' grep -nE '^.{101,}$' /dev/null || true
}

# Shell scripts by their first line, whatever they are called.
shell_files() {
    find . \( -name 'build*' -o -name node_modules -o -name var -o -name .git \) -prune -o -type f \
        -printf '%P\n' | sort | while read -r file; do
        ! head -n 1 "$file" | grep -qE '^#!.*\b(ba)?sh\b|^# shellcheck shell=' || echo "$file"
    done
}

holds "no function has more than $FUNCTION_LINES_MAX lines" long_functions
holds "no shell function has more than $FUNCTION_LINES_MAX lines" long_shell_functions
holds "no file has more than $FILE_LINES_MAX lines" long_files
holds "no line of C has more than 100 columns" long_lines
