"""The texts of the samples."""

LONG_ANSWER = """Kurz gesagt: **Go**, solange die Last unter etwa 40 000 Ereignissen je Sekunde bleibt; darüber \
lohnt sich Rust. Die Gründe stehen unten, am Ende eine Zusammenfassung auf Japanisch für das Team in Osaka.

## What was compared

Both services read from the same stream, check a schema and write batches. See \
[the method](https://example.com/method) and `bench/ingest.yaml`.

| Property | Go 1.24 | Rust 1.83 | Better |
|:--|--:|--:|:--|
| Events per second, one core | 38 200 | 71 900 | Rust |
| p99 latency | 4.1 ms | 1.3 ms | Rust |
| Build time in CI | 21 s | 3 min 40 s | Go |
| People here who can review it | 9 | 2 | Go |

### The part that matters

```go
func (w *Writer) Flush(ctx context.Context) error {
\tif len(w.batch) == 0 {
\t\treturn nil // nothing to do, and an empty insert is an error in ClickHouse since 23.8 (see the release notes)
\t}
\treturn w.store.Insert(ctx, w.batch)
}
```

1. Keep the batch **small**: 500 events or 200 ms, whichever comes first.
2. Never retry inside a flush:
   - the caller knows whether it still cares,
   - a retry that nobody sees is a duplicate.
3. ~~Use a channel per producer.~~ One ring is enough.

> A queue that is never full is a queue that nobody measured.

Was das für uns heißt: Der Umstieg kostet etwa drei Wochen, und die Betriebskosten sinken um rund ein Drittel. Das ist \
kein schlechtes Geschäft, aber auch kein dringendes. \
Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft.

---

#### 日本語のまとめ

負荷が毎秒四万件を超えないかぎり、**Go** のままで十分です。それ以上になる場合は Rust への移行を検討してください。\
移行にはおよそ三週間かかりますが、運用コストは約三分の一下がります。急ぐ必要はありません。

![The measured curve](https://example.com/curve.png) shows it as a picture.
"""

REPORT = """# Market report

The market for **river barges** grew by 4.2 % in the first half of the year. Three suppliers hold two thirds of it.

## Findings

- Prices fell in the north and rose in the south.
- Nobody offers electric barges above 80 m.
- The annual reports of two suppliers could not be read, so their numbers are from last year.

## Advice

Enter with *one* model, built to order, and decide about a second in spring.
"""

EVIL_TITLE = (
    "<img src=x onerror=alert(1)>\r\nBcc: everybody@example.com\x00 \u202etxt.exe\u2028"
    " =?utf-8?q?a=0D=0AX-Evil:_1?= {{ 7*7 }} \ud800</title><script>alert(2)</script>"
)

EVIL_TEXT = """<script>alert("text")</script>

<img src="https://tracker.example/pixel.gif" width=1 height=1> <a href="https://evil.example" onclick="x()">raw</a>

![pixel](https://tracker.example/p.png) ![data](data:image/png;base64,AAAA) [run](javascript:alert(1)) \
[rel](/v1/runs) [proto](//evil.example/x) [odd](vbscript:x) <javascript:alert(1)> {{ config }} {% raw %}

<style>* { background: url(https://tracker.example/c) }</style> </td></tr></table></body>

[link](https://ok.example/?a=1&b="onmouseover="alert(1)) <https://auto.example/path>

```html
<svg onload=alert(1)></svg></code></pre><iframe src=https://evil.example></iframe>
```

| a | b |
|:-:|--|
| <b>x</b> | `<i>` |
"""
