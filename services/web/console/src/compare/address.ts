/** The address that shows two runs beside each other. */
export function addressOfComparison(left: string, right: string): string {
  return `/compare?${new URLSearchParams({ left, right })}`;
}
