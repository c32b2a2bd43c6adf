#include "formats/html.h"

#include <vector>

namespace dutybook::formats {

namespace {

// Black on white, tables that repeat their head on each page and never cut a row.
constexpr std::string_view style = R"(
body { font: 11pt/1.35 system-ui, sans-serif; margin: 1.5cm auto; max-width: 27cm;
  padding: 0 1em; color: #000; }
h1 { font-size: 16pt; margin: 0 0 .4em; } h2 { font-size: 13pt; } h3 { font-size: 11pt; }
table { border-collapse: collapse; width: 100%; margin: .5em 0 1em; }
th, td { border: 1px solid #888; padding: .2em .4em; text-align: left; vertical-align: top; }
th { background: #eee; } td.right, th.right { text-align: right; }
td.center, th.center { text-align: center; }
table.wide { font-size: 7.5pt; } table.wide th, table.wide td { padding: .1em .2em; }
.note { color: #444; font-size: 9.5pt; } .strong { font-weight: bold; }
.signature { margin: 2.5em 2em 0 0; border-top: 1px solid #000; width: 7cm; display: inline-block; }
.page { break-after: page; } td { white-space: pre-line; }
figure { margin: .5em 0; } svg { max-width: 100%; height: auto; }
footer { margin-top: 2em; font-size: 8.5pt; color: #444; }
@media print { body { margin: 0; padding: 0; max-width: none; }
  thead { display: table-header-group; } tr, figure { break-inside: avoid; } @page { margin: 1.2cm; } }
)";

class Page {
public:
    Page(const Report& report, const ChartMaker& charts) : report_(report), charts_(charts) {}

    Result<std::string> write() {
        out_ = "<!DOCTYPE html>\n<html lang=\"" + escape_html(report_.language) +
               "\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
               escape_html(report_.title) + "</title>\n<style>" + std::string(style) +
               (report_.landscape ? "@page { size: landscape; }\n" : "") +
               "</style>\n</head>\n<body>\n<main>\n<h1>" + escape_html(report_.title) + "</h1>\n";
        for (const Json& block : report_.blocks) TRY(write_block(block));
        out_ += "</main>\n<footer>" + escape_html(report_.site);
        if (!report_.made_at.empty()) out_ += " &middot; " + escape_html(made_text(report_));
        out_ += "</footer>\n</body>\n</html>\n";
        return std::move(out_);
    }

private:
    Result<void> write_block(const Json& block) {
        const auto& type = block["type"].get_ref<const std::string&>();
        if (type == "heading") {
            // The page's own title is the h1.
            const std::string tag = "h" + std::to_string(std::min(block.value("level", 1) + 1, 4));
            element(tag, "", block["text"].get<std::string>());
        } else if (type == "text") {
            const std::string kind = block.value("style", "");
            element("p", kind == "note" || kind == "strong" ? kind : "",
                    block["text"].get<std::string>());
        } else if (type == "table") {
            write_table(block);
        } else if (type == "chart") {
            TRY_ASSIGN(const std::string svg, charts_.svg(block, report_.language));
            out_ += "<figure>\n" + svg + "</figure>\n";
        } else if (type == "signature") {
            element("p", "signature", block["label"].get<std::string>());
        } else if (type == "events" && shows_events(report_)) {
            write_events(block);
        } else if (type == "page") {
            out_ += "<div class=\"page\"></div>\n";
        }
        return {};
    }

    void element(const std::string& tag, const std::string& css, const std::string& text) {
        out_ += "<" + tag + (css.empty() ? "" : " class=\"" + css + "\"") + ">" +
                escape_html(text) + "</" + tag + ">\n";
    }

    // As the column says; numbers stand to the right by themselves.
    static std::string align_of(const Json& block, std::size_t column) {
        const std::string align = block["columns"][column].value("align", "");
        if (align == "right" || align == "center") return " class=\"" + align + "\"";
        bool any = false;
        for (const Json& row : block.value("rows", Json::array())) {
            const std::string text = column < row.size() ? cell_text(row[column]) : "";
            if (text.empty()) continue;
            if (!is_number(text)) return "";
            any = true;
        }
        return any ? " class=\"right\"" : "";
    }

    void write_table(const Json& block) {
        const Json& columns = block["columns"];
        std::vector<std::string> aligns;
        // A month of days does not fit in letters of the usual size.
        constexpr std::size_t many = 14;
        out_ += columns.size() > many ? "<table class=\"wide\">\n" : "<table>\n";
        out_ += "<thead>\n<tr>";
        for (std::size_t i = 0; i < columns.size(); ++i) {
            aligns.push_back(align_of(block, i));
            out_ += "<th scope=\"col\"" + aligns.back() + ">" +
                    escape_html(columns[i]["label"].get<std::string>()) + "</th>";
        }
        out_ += "</tr>\n</thead>\n<tbody>\n";
        const Json rows = block.value("rows", Json::array());
        if (rows.empty()) {
            out_ += "<tr><td class=\"center\" colspan=\"" + std::to_string(columns.size()) +
                    "\">&ndash;</td></tr>\n";
        }
        for (const Json& row : rows) {
            out_ += "<tr>";
            for (std::size_t i = 0; i < columns.size(); ++i) {
                out_ += "<td" + aligns[i] + ">" +
                        escape_html(i < row.size() ? cell_text(row[i]) : std::string()) + "</td>";
            }
            out_ += "</tr>\n";
        }
        out_ += "</tbody>\n</table>\n";
    }

    void write_events(const Json& block) {
        out_ += "<table>\n<tbody>\n";
        for (const Json& event : block["events"]) {
            const std::string when =
                event.contains("date") ? cell_text(event["date"]) : cell_text(event["start"]);
            out_ += "<tr><td>" + escape_html(when) + "</td><td>" +
                    escape_html(event["summary"].get<std::string>()) + "</td></tr>\n";
        }
        out_ += "</tbody>\n</table>\n";
    }

    const Report& report_;
    const ChartMaker& charts_;
    std::string out_;
};

}  // namespace

std::string escape_html(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                // Control characters have no place in HTML.
                if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
        }
    }
    return out;
}

Result<std::string> render_html(const Report& report, const ChartMaker& charts) {
    return Page(report, charts).write();
}

}  // namespace dutybook::formats
