#include "base/json_plain.h"

#include <cmath>
#include <cstring>
#include <vector>

namespace dutybook {

namespace {

constexpr int significant_digits = 17;

// What the text of a number tells that its double does not.
struct NumberText {
    int digits = 0;  // significant: without leading and trailing zeros
    bool zero = true;
};

NumberText inspect(std::string_view text) {
    NumberText out;
    int zeros = 0;
    for (const char c : text) {
        if (c == 'e' || c == 'E') break;
        if (c < '0' || c > '9') continue;
        if (c == '0') {
            if (!out.zero) ++zeros;
            continue;
        }
        out.digits += zeros + 1;
        zeros = 0;
        out.zero = false;
    }
    return out;
}

// Builds the DOM from nlohmann's events, which come from a loop with its own stack: nothing here
// recurses either. The first refusal ends the parse.
class Builder final : public nlohmann::json_sax<Json> {
public:
    explicit Builder(const JsonLimits& limits) : limits_(limits) {}

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override {
        if (value < -max_safe_integer || value > max_safe_integer) return refuse_number();
        return put(value);
    }
    bool number_unsigned(number_unsigned_t value) override {
        if (value > static_cast<number_unsigned_t>(max_safe_integer)) return refuse_number();
        return put(static_cast<std::int64_t>(value));
    }
    bool number_float(number_float_t value, const string_t& text) override {
        const NumberText seen = inspect(text);
        if (!std::isfinite(value) || std::abs(value) > static_cast<double>(max_safe_integer) ||
            seen.digits > significant_digits || (value == 0.0 && !seen.zero)) {
            return refuse_number();
        }
        if (value == std::trunc(value)) return put(static_cast<std::int64_t>(value));
        return put(value);
    }
    bool string(string_t& value) override {
        if (value.find('\0') != std::string::npos) {
            return refuse(malformed("a string holds a NUL character", place()));
        }
        return put(std::move(value));
    }
    bool binary(binary_t&) override { return refuse(malformed("binary value", place())); }

    bool start_object(std::size_t) override { return open(Json::object()); }
    bool key(string_t& name) override {
        Frame& frame = stack_.back();
        if (name.find('\0') != std::string::npos) {
            return refuse(malformed("a member's name holds a NUL character", place()));
        }
        if (frame.node->contains(name)) {
            return refuse(malformed("the member is given twice", pointer_to(place(), name)));
        }
        frame.key = std::move(name);
        frame.in_member = true;
        return true;
    }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_array() override { return close(); }

    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception& error) override {
        if (error_) return false;
        if (error.id == 406) return refuse_number();  // out of a double's range
        std::string why = error.what();
        if (const auto cut = why.find("] "); cut != std::string::npos) why.erase(0, cut + 2);
        error_ = malformed("not valid JSON at byte " + std::to_string(position), place());
        error_->why = printable(why);
        return false;
    }

    Json root;
    Error take_error() { return error_ ? std::move(*error_) : malformed("not valid JSON"); }

private:
    struct Frame {
        Json* node = nullptr;  // stays put: a container's siblings come after it is closed
        std::string key;       // objects: of the member being read
        bool in_member = false;
    };

    // The library repeats what it read last, which may be no text.
    static std::string printable(const std::string& said) {
        const std::string text = Json(said).dump(-1, ' ', false, Json::error_handler_t::replace);
        return Json::parse(text, nullptr, false).get<std::string>();
    }

    // Where the next value goes, as a JSON Pointer.
    std::string place() const {
        std::string out;
        for (const Frame& frame : stack_) {
            if (frame.node->is_array()) {
                out = pointer_to(out, frame.node->size() - (&frame == &stack_.back() ? 0 : 1));
            } else if (frame.in_member) {
                out = pointer_to(out, frame.key);
            }
        }
        return out;
    }
    bool refuse(Error error) {
        error_ = std::move(error);
        return false;
    }
    bool refuse_number() {
        Error error = malformed("the number cannot be held exactly", place());
        error.fix = "write it as a string";
        return refuse(std::move(error));
    }
    Json* insert(Json value) {
        if (stack_.empty()) {
            root = std::move(value);
            return &root;
        }
        Frame& frame = stack_.back();
        if (frame.node->is_array()) {
            frame.node->push_back(std::move(value));
            return &frame.node->back();
        }
        return &(*frame.node->emplace(frame.key, std::move(value)).first);
    }
    void value_done() {
        if (!stack_.empty()) stack_.back().in_member = false;
    }
    bool put(Json value) {
        insert(std::move(value));
        value_done();
        return true;
    }
    bool open(Json container) {
        if (stack_.size() >= limits_.depth) {
            Error error = failure(
                Code::TooLarge, "nested deeper than " + std::to_string(limits_.depth) + " levels");
            error.pointer = place();
            return refuse(std::move(error));
        }
        Json* node = insert(std::move(container));
        stack_.push_back(Frame{node, {}, false});
        return true;
    }
    bool close() {
        stack_.pop_back();
        value_done();
        return true;
    }

    const JsonLimits& limits_;
    std::vector<Frame> stack_;
    std::optional<Error> error_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.bytes) {
        return failure(Code::TooLarge,
                       "the JSON text is longer than " + std::to_string(limits.bytes) + " bytes");
    }
    // The library skips a byte-order mark and takes NUL for the end of the text.
    if (text.substr(0, 3) == "\xEF\xBB\xBF") return malformed("begins with a byte-order mark");
    if (const void* nul = text.empty() ? nullptr : std::memchr(text.data(), 0, text.size())) {
        const auto at = static_cast<const char*>(nul) - text.data();
        return malformed("a NUL byte at byte " + std::to_string(at + 1));
    }
    if (auto plain = parse_plain(text, limits)) {
        return Result<Json>(boost::system::in_place_value, std::move(*plain));
    }
    Builder builder(limits);
    try {
        if (!Json::sax_parse(text.begin(), text.end(), &builder)) return builder.take_error();
    } catch (const std::exception& error) {
        Error out = malformed("not valid JSON");
        out.why = error.what();
        return out;
    }
    return Result<Json>(boost::system::in_place_value, std::move(builder.root));
}

std::string pointer_to(std::string_view pointer, std::string_view token) {
    std::string out(pointer);
    out += '/';
    for (const char c : token) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

std::string pointer_to(std::string_view pointer, std::size_t index) {
    return std::string(pointer) + '/' + std::to_string(index);
}

}  // namespace dutybook
