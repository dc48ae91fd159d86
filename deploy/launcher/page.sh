# shellcheck shell=bash
# Pages: documents that the edge shows - the schemas as they are, and a page for every problem, made
# of docs/problems.md.

pages_put() {
    local pages=$home/edge/pages file
    mkdir -p "$pages"/{schemas,problems,docs}
    for file in "$top"/shared/schemas/*.json; do
        file_put "$pages/schemas/${file##*/}" 644 < "$file"
    done
    page_of_schemas | file_put "$pages/schemas/index.html"
    page_of_docs | file_put "$pages/docs/index.html"
    pages_of_problems "$pages/problems"
}

# page TITLE: standard input is what stands below the heading.
page() {
    printf '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
    printf '<meta name="viewport" content="width=device-width">\n'
    printf '<title>%s</title>\n<h1>%s</h1>\n' "$1" "$1"
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

page_of_docs() {
    page Checkout <<'EOF'
<ul>
<li><a href="/schemas/">Schemas</a> of events and objects</li>
<li><a href="/problems/">Problems</a>: what each error code means, and what to do</li>
</ul>
EOF
}

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
