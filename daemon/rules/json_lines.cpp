#include "rules/json_lines.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace dutybook::rules {
namespace {

constexpr std::size_t document_depth = 32;

std::vector<std::string> tokens_of(std::string_view pointer) {
    std::vector<std::string> tokens;
    for (std::size_t i = 0; i < pointer.size(); ++i) {
        if (pointer[i] == '/') {
            tokens.emplace_back();
        } else if (tokens.empty()) {
            break;  // no pointer
        } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
            tokens.back() += pointer[++i] == '1' ? '/' : '~';
        } else {
            tokens.back() += pointer[i];
        }
    }
    return tokens;
}

// Goes through the text once and remembers where the deepest part of the path began.
class Finder {
public:
    Finder(std::string_view text, std::string_view pointer)
        : text_(text), tokens_(tokens_of(pointer)) {}

    std::uint64_t run() {
        for (; at_ < text_.size() && !done_; ++at_) step(text_[at_]);
        return found_;
    }

private:
    struct Level {
        bool object;
        bool on_path;  // the container is where the path leads
        bool key_next;
        std::size_t index = 0;
    };

    void step(char c) {
        switch (c) {
            case '\n':
                ++line_;
                break;
            case '{':
                open(true);
                break;
            case '[':
                open(false);
                break;
            case '}':
            case ']':
                close();
                break;
            case ',':
                next();
                break;
            case '"':
                string();
                break;
            default:
                break;
        }
    }

    void open(bool object) {
        const bool on_path = levels_.empty() ? true : member_on_path_;
        levels_.push_back({object, on_path, object});
        member_on_path_ = false;
        if (!object) arrive(std::to_string(0));
    }
    void close() {
        if (!levels_.empty()) levels_.pop_back();
        member_on_path_ = false;
    }
    void next() {
        if (levels_.empty()) return;
        Level& level = levels_.back();
        member_on_path_ = false;
        if (level.object) {
            level.key_next = true;
        } else {
            arrive(std::to_string(++level.index));
        }
    }
    void string() {
        std::string value;
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            if (text_[at_] == '\n') ++line_;
            value += text_[at_];
        }
        if (levels_.empty() || !levels_.back().object || !levels_.back().key_next) return;
        levels_.back().key_next = false;
        arrive(value);
    }
    // A member or element begins on this line.
    void arrive(const std::string& token) {
        const std::size_t depth = levels_.size();
        if (!levels_.back().on_path || depth > tokens_.size() || tokens_[depth - 1] != token) {
            return;
        }
        member_on_path_ = true;
        found_ = element_line();
        done_ = depth == tokens_.size();
    }
    // An element of an array begins after the white space that follows '[' or ','.
    std::uint64_t element_line() const {
        if (levels_.back().object) return line_;
        std::uint64_t line = line_;
        for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
            if (text_[i] == '\n') ++line;
            if (std::string_view(" \t\r\n").find(text_[i]) == std::string_view::npos) break;
        }
        return line;
    }

    std::string_view text_;
    std::vector<std::string> tokens_;
    std::vector<Level> levels_;
    std::size_t at_ = 0;
    std::uint64_t line_ = 1;
    std::uint64_t found_ = 1;
    bool member_on_path_ = false;
    bool done_ = false;
};

}  // namespace

std::uint64_t line_of(std::string_view text, std::string_view pointer) {
    return Finder(text, pointer).run();
}

Result<Json> parse_document(std::string_view text, const std::string& file,
                            std::size_t most_bytes) {
    auto json = parse_json(text, {document_depth, most_bytes});
    if (!json) return in_file(std::move(json).error(), file, text);
    return json;
}

Error in_file(Error error, const std::string& file, std::string_view text) {
    // Text that is no JSON has no place in it that a pointer could name, but a byte.
    constexpr std::string_view at_byte = "not valid JSON at byte ";
    if (!error.line && error.what.starts_with(at_byte)) {
        const auto byte = std::strtoull(error.what.c_str() + at_byte.size(), nullptr, 10);
        const auto before = text.substr(0, std::min<std::size_t>(byte, text.size()));
        error.line = 1 + static_cast<std::uint64_t>(std::count(before.begin(), before.end(), '\n'));
    }
    error.what = file + ": " + error.what;
    if (!error.line) error.line = line_of(text, error.pointer);
    return error;
}

}  // namespace dutybook::rules
