const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** 1536 → "1.5 KiB (1536)": a size for people, with its exact number where that differs. */
export function humanBytes(bytes: number): string {
  const short = shortBytes(bytes);
  return bytes < 1024 ? short : `${short} (${bytes})`;
}

/** 1536 → "1.5 KiB". */
export function shortBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  const text = unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/u, '');
  return `${text} ${UNITS[unit]}`;
}

/** Seconds → "1:05" or "2:01:05". */
export function clockTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
