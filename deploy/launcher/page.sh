# shellcheck shell=bash
# Pages: documents that the edge shows - the schemas as they are, a page for every problem, made of
# docs/problems.md, and the APIs, which swagger-ui shows without asking anybody else for anything.

pages_put() {
    local pages=$home/edge/pages file
    mkdir -p "$pages"/{schemas,problems,docs}
    for file in "$top"/shared/schemas/*.json; do
        file_put "$pages/schemas/${file##*/}" 644 < "$file"
    done
    page_of_schemas | file_put "$pages/schemas/index.html"
    page_of_docs | file_put "$pages/docs/index.html"
    pages_of_api "$pages/docs"
    pages_of_problems "$pages/problems"
}

# page TITLE [HEAD]: standard input is what stands below the heading.
page() {
    printf '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
    printf '<meta name="viewport" content="width=device-width">\n'
    printf '<title>%s</title>\n%s<h1>%s</h1>\n' "$1" "${2:-}" "$1"
    cat
}

page_of_schemas() {
    local file name
    {
        printf '<p>JSON Schemas of what the bus and the APIs carry.</p>\n<ul>\n'
        for file in "$top"/shared/schemas/*.json; do
            name=${file##*/}
            printf '<li><a href="/schemas/%s">%s</a></li>\n' "$name" "${name%.json}"
        done
        printf '</ul>\n'
    } | page Schemas
}

# A browser asks for no icon when it is told of an empty one, and only a head can tell it.
readonly no_icon='<link rel="icon" href="data:,">
'

# What swagger-ui needs is its two files and one of ours; there is no script in the page itself.
readonly docs_head=$no_icon'<link rel="stylesheet" href="/docs/swagger-ui.css">
<script src="/docs/swagger-ui-bundle.js" defer></script>
<script src="/docs/docs.js" defer></script>
'

page_of_docs() {
    page Checkout "$docs_head" <<'EOF'
<ul>
<li>APIs: <a href="/docs/?order-service">orders</a>, <a href="/docs/?payment-service">payments</a>,
<a href="/docs/?voucher-service">vouchers</a> (OpenAPI 3.1: <a href="/services/order-service/openapi.json">orders</a>,
<a href="/services/payment-service/openapi.json">payments</a>,
<a href="/services/voucher-service/openapi.json">vouchers</a>)</li>
<li><a href="/docs/events.html">Events</a> on the bus (AsyncAPI 3: <a href="/docs/events.json">events</a>)</li>
<li><a href="/schemas/">Schemas</a> of events and objects</li>
<li><a href="/problems/">Problems</a>: what each error code means, and what to do</li>
</ul>
<div id="api"></div>
EOF
}

# The services answer with their own documents; that of the bus has no other place.
pages_of_api() {
    local events file
    events=$(build_dir)/docs/api/events.json
    for file in "$top"/tests/node_modules/swagger-ui-dist/swagger-ui{.css,-bundle.js} \
        "$top/deploy/edge/docs.js" "$events"; do
        page_copy "$file" "$1/${file##*/}"
    done
    page_of_events "$events" | file_put "$1/events.html"
}

# page_copy FROM TO: a file too long for file_put; nothing is written when it is there already.
page_copy() {
    ! cmp -s "$1" "$2" || return 0
    cp "$1" "$2.new"
    file_install "$2" 644
}

# A section per channel, a row per message.
page_of_events() {
    jq -r "$event_sections" "$1" | page Events "$no_icon"
}

# shellcheck disable=SC2016 # jq's own
readonly event_sections='
    def shown: @html | gsub("`(?<code>[^`]*)`"; "<code>\(.code)</code>");
    . as $document |
    "<p><a href=\"/docs/\">APIs</a>, <a href=\"/docs/events.json\">this as AsyncAPI 3</a>, <a href=\"/schemas/\">schemas</a></p>",
    "<pre>\(.info.description | shown)</pre>",
    (.channels[] |
        "<h2>\(.title | @html)</h2>\n<p><code>\(.address | @html)</code></p>\n<p>\(.description | shown)</p>\n<table>",
        (.messages[]["$ref"] | split("/") | last | $document.components.messages[.] |
            "<tr><td><code>\(.name | @html)</code></td><td>\(.summary | shown)</td></tr>"),
        "</table>")'

# One page per "## code" of docs/problems.md, and their index; all made in one go, only when the
# document is another one.
pages_of_problems() {
    local stamp
    stamp=$(sha256sum < "$top/docs/problems.md")
    [[ $(file_read "$1/stamp") != "$stamp" ]] || return 0
    rm -f "$1"/*.html
    awk -v into="$1" "$problem_pages" "$top/docs/problems.md"
    file_put "$1/stamp" <<< "$stamp"
}

# shellcheck disable=SC2016 # awk's own
readonly problem_pages='
    function shown(text) {
        gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text)
        while (match(text, /`[^`]*`/))
            text = substr(text, 1, RSTART - 1) "<code>" substr(text, RSTART + 1, RLENGTH - 2) "</code>" \
                substr(text, RSTART + RLENGTH)
        return text
    }
    function begin(file, title) {
        print "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">" > file
        print "<meta name=\"viewport\" content=\"width=device-width\">" > file
        print "<title>" title "</title>\n<h1>" title "</h1>" > file
    }
    BEGIN {
        list = into "/index.html"
        begin(list, "Problems")
        print "<ul>" > list
    }
    /^## / {
        if (page != "") close(page)
        code = $2
        page = into "/" code ".html"
        begin(page, code)
        print "<li><a href=\"/problems/" code "\">" code "</a></li>" > list
        next
    }
    page != "" && NF { print "<p>" shown($0) "</p>" > page }
    END { print "</ul>" > list }'
