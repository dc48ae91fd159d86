# shellcheck shell=bash
# The console: the page that the edge shows at /. Its files are copied as they are, with what it takes
# from npm beside them, so that nothing is fetched from elsewhere when it runs.

# Where each comes from and what it is called in the page's folder.
readonly console_packages=(
    "mqtt/dist/mqtt.esm.js      mqtt.js"
    "uplot/dist/uPlot.esm.js    uplot.js"
    "uplot/dist/uPlot.min.css   uplot.css"
)

# Who installs nothing may lack them: shops do without the console, so the stack starts and says so. An
# older console is taken away rather than shown with packages that it was not made for.
console_put() {
    local pages=$home/edge/pages/console file row from to
    if ! console_is_installed; then
        rm -rf "$pages"
        say "The console is left out: console/node_modules lacks what it takes from npm."
        say "  ./checkout up   without --no-install gets it."
        return 0
    fi
    mkdir -p "$pages"/packages
    for file in "$top"/console/*.{html,css,js,svg}; do
        page_copy "$file" "$pages/${file##*/}"
    done
    for row in "${console_packages[@]}"; do
        read -r from to <<< "$row"
        page_copy "$top/console/node_modules/$from" "$pages/packages/$to"
    done
}

console_is_installed() {
    local row from
    for row in "${console_packages[@]}"; do
        read -r from _ <<< "$row"
        [[ -e $top/console/node_modules/$from ]] || return 1
    done
}

# What `up` says that the edge shows; nothing when it was left out.
console_mention() {
    [[ ! -e $home/edge/pages/console/index.html ]] || printf 'the console, '
}
