// Counts the words of five letters or more over all files.
interface Word { word: string; count: number }

export default (files: Record<string, string>): Word[] => {
  const counts = new Map<string, number>()
  for (const text of Object.values(files)) {
    for (const [word] of text.toLowerCase().matchAll(/[a-z]{5,}/g)) {
      counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  }
  return [...counts]
    .map(([word, count]): Word => ({ word, count }))
    .sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1))
    .slice(0, 12)
}
