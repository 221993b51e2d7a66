/// How a report looks.
enum HTMLStyle {
    /// Without `<`, `&` and `>`, so that it may stand in the page as it is.
    static let sheet = """
        :root { color-scheme: light; }
        body { max-width: 1180px; margin: 2rem auto; padding: 0 1rem; background: #fff; color: #2b2b2b;
          font: 15px/1.5 Helvetica, Arial, "DejaVu Sans", sans-serif; }
        h1 { font-size: 1.6rem; line-height: 1.2; }
        h2 { font-size: 1.2rem; margin-top: 2.2rem; }
        p { max-width: 72ch; }
        pre { overflow-x: auto; padding: .7rem 1rem; background: #f4f4f2; font-size: 13px; }
        figure { margin: 1.5rem 0; }
        figure svg { max-width: 100%; height: auto; }
        figcaption, caption { max-width: 90ch; padding: .4rem 0; color: #5f5f5f; text-align: left; }
        .scroll { overflow-x: auto; margin: 1.5rem 0; }
        table { border-collapse: collapse; font-size: 14px; }
        th, td { padding: .25rem .7rem; text-align: left; vertical-align: top; }
        thead th { border-bottom: 1.5px solid #9a9a9a; vertical-align: bottom; }
        thead th[colspan] { border-bottom: 0; }
        thead th.group { border-bottom: 1px solid #cfcfcf; text-align: center; }
        tbody td { border-bottom: 1px solid #ececec; }
        th.section { padding-top: 1rem; border-bottom: 1px solid #cfcfcf; }
        td:first-child { white-space: nowrap; }
        .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .best { font-weight: bold; }
        tr.reference td { background: #f7f7f5; color: #5f5f5f; }
        .images th { border: 0; font-weight: normal; }
        .images td { padding: .3rem; border: 0; text-align: center; }
        .images label { cursor: zoom-in; }
        .images input { position: absolute; opacity: 0; }
        .images img { display: block; width: var(--shown); image-rendering: pixelated; }
        .images input:checked + img { width: calc(4 * var(--shown)); cursor: zoom-out; }
        .images input:focus-visible + img { outline: 3px solid #0072b2; }
        .note { font-size: 12px; color: #5f5f5f; font-variant-numeric: tabular-nums; }

        """
}
