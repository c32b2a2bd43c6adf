#include "formats/plain.h"

#include "formats/text_table.h"

namespace dutybook::formats {

namespace {

std::string lines_of(const std::string& text, std::size_t width) {
    std::string out;
    for (const std::string& line : wrapped(text, width)) out += line + '\n';
    return out;
}

std::string heading(const std::string& text, char rule, std::size_t width) {
    return lines_of(text, width) + std::string(std::min(characters(text), width), rule) + "\n\n";
}

std::string table(const Json& block, std::size_t width) {
    std::vector<std::vector<std::string>> rows(1);
    for (const Json& column : block["columns"]) rows.front().push_back(column["label"]);
    for (const Json& row : block.value("rows", Json::array())) {
        std::vector<std::string>& cells = rows.emplace_back();
        for (const Json& cell : row) cells.push_back(cell_text(cell));
    }
    const bool empty = rows.size() == 1;
    return empty ? "-\n" : text_table(std::move(rows), width);
}

std::string block_text(const Json& block, std::size_t width) {
    const auto& type = block["type"].get_ref<const std::string&>();
    if (type == "heading") return heading(block["text"], '-', width);
    if (type == "text") return lines_of(block["text"], width) + '\n';
    if (type == "table") return table(block, width) + '\n';
    if (type == "signature")
        return "\n______________________  " + block["label"].get<std::string>() + "\n";
    if (type == "chart" && block.contains("title")) {
        return "(" + block["title"].get<std::string>() + ")\n\n";
    }
    return {};
}

}  // namespace

std::string render_plain(const Report& report, std::size_t width) {
    std::string out = heading(report.title, '=', width);
    for (const Json& block : report.blocks) out += block_text(block, width);
    return out + report.site + (report.made_at.empty() ? "" : ", " + made_text(report)) + "\n";
}

}  // namespace dutybook::formats
