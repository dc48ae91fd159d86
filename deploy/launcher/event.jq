# An event as one line for people: time, merchant, type, subject, and what it is about.

def padded($width): . + " " * ([$width - length, 0] | max);

# ISO 4217; all others have two.
def minor_digits:
    if IN("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
          "XAF", "XOF", "XPF") then 0
    elif IN("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND") then 3
    elif IN("CLF", "UYW") then 4
    else 2 end;

# An amount in minor units.
def money($currency):
    ($currency | minor_digits) as $digits
    | if $digits == 0 then "\($currency) \(.)"
      else tostring | "0" * ([$digits + 1 - length, 0] | max) + .
        | "\($currency) \(.[:-$digits]).\(.[-$digits:])" end;

def reason: .failure // empty | [.code, .decline_code // empty] | join(", ");

def words($noun):
    .currency as $currency
    | def told($amount): $amount | money($currency);
    if $noun == "order" then
        told(.total_amount),
        (select(.amount_due != .total_amount) | "\(told(.amount_due)) due"),
        (.payment_status | gsub("_"; " "))
    elif $noun == "payment" then
        told(.amount),
        (.payment_method.card // empty | "\(.brand) \(.last4)"),
        (.gateway // empty | "at \(.)"),
        reason,
        (select(.amount_refunded > 0) | "\(told(.amount_refunded)) given back"),
        (select(.dispute_status != "none") | "dispute \(.dispute_status)")
    elif $noun == "refund" then
        told(.amount), "of payment \(.payment_id)", (.reason // empty), reason
    else
        told(.value_amount),
        (.reservation // empty | "held by \(.holder)"),
        (.redemption // empty | "by \(if .order_id then "order \(.order_id)" else .reference end)"),
        (select(.status == "active") | "of order \(.order_id)")
    end;

. as $line
| try (fromjson
    | (.type | split(".")[0]) as $noun
    | [(.time | sub("T"; " ")), (.merchantid | padded(8)), (.type | padded(17)), .subject,
       ([.data | words($noun)] | join(", "))]
    | join("  "))
catch "not an event: \($line)"
