"""Graph -> scene -> layout -> svg, dot, mermaid."""
